// The server's HTTP calls. Tokens live in localStorage; one refresh is tried when a call is refused with 401.

const store = {
  get: () => JSON.parse(localStorage.getItem('session') ?? 'null'),
  set: (session) => (session ? localStorage.setItem('session', JSON.stringify(session)) : localStorage.removeItem('session')),
};

export class ApiError extends Error {
  constructor(status, detail) {
    // 422 lists every fault; people want to read them one after the other.
    super(Array.isArray(detail) ? detail.map((fault) => `${fault.loc.at(-1)}: ${fault.msg}`).join('\n') : String(detail));
    this.status = status;
  }
}

let onSessionEnd = () => {};
export const whenSessionEnds = (callback) => { onSessionEnd = callback; };
export const token = () => store.get()?.access_token;

async function send(method, path, body, bearer) {
  const headers = {Accept: 'application/json'};
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  if (body && !(body instanceof FormData) && !(body instanceof URLSearchParams)) {
    headers['Content-Type'] = 'application/json';
    body = JSON.stringify(body);
  }
  const answer = await fetch(path, {method, headers, body});
  if (answer.status === 204) return null;
  const value = await answer.json().catch(() => null);
  if (!answer.ok) throw new ApiError(answer.status, value?.detail ?? answer.statusText);
  return value;
}

let refreshing = null;  // one refresh at a time, however many calls were refused
export function refresh() {
  refreshing ??= (async () => {
    try {
      const form = new URLSearchParams({grant_type: 'refresh_token', refresh_token: store.get()?.refresh_token ?? ''});
      store.set(await send('POST', '/auth/token', form));
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;  // no network: the session may still be good
      store.set(null);
      onSessionEnd();
      return false;
    } finally {
      refreshing = null;
    }
  })();
  return refreshing;
}

async function call(method, path, body) {
  try {
    return await send(method, path, body, token());
  } catch (error) {
    if (error.status !== 401 || !(await refresh())) throw error;
    return send(method, path, body, token());
  }
}

export const signUp = (fields) => send('POST', '/auth/signup', fields);
export const logIn = async (email, password) => store.set(await send('POST', '/auth/login', {email, password}));
export async function logOut() {
  const bearer = token();
  store.set(null);
  await send('POST', '/auth/logout', null, bearer).catch(() => {});  // signed out here in any case
}

const id = encodeURIComponent;
export const me = () => call('GET', '/auth/users/me');
export const rooms = () => call('GET', '/chat/chat_rooms/');
export const privateChats = () => call('GET', '/chat/private_chats/');
export const createRoom = (name, members) => call('POST', '/chat/chat_rooms/', {name, members});
export const openPrivate = (email) => call('POST', '/chat/private_chats/', {email});
export const addMembers = (room, emails) => call('POST', `/chat/chat_rooms/${id(room)}/members`, {emails});
export const room = (roomId) => call('GET', `/chat/chat_rooms/${id(roomId)}`);
export const older = (roomId, seq) => call('GET', `/chat/chat_rooms/${id(roomId)}/messages?limit=50&before=${seq}`);
export function upload(file) {
  const form = new FormData();
  form.append('file', file, file.name);
  return call('POST', '/chat/upload_media/', form);
}
