// Every word of the page, in both languages, and how each writes numbers, times and sizes.

const texts = {
  en: {
    brand: 'Payam', slogan: 'A chat server you own', otherLanguage: 'فارسی', otherLanguageShort: 'فا',
    login: 'Log in', signup: 'Sign up', logout: 'Log out', email: 'E-mail', password: 'Password', username: 'Username',
    chats: 'Chats', newRoom: 'New room', newPrivate: 'New private chat', noRooms: 'No chats yet. Create a room, or write to someone by e-mail.',
    pickRoom: 'Pick a chat, or start one', back: 'Back to the list', addMember: 'Add people', older: 'Older messages',
    noMessages: 'Nothing here yet. Say something!', messages: 'Messages', attach: 'Attach files', write: 'Write a message', send: 'Send',
    roomName: 'Name of the room', memberEmails: 'E-mails of the members, separated by commas', theirEmail: 'E-mail of the person',
    create: 'Create', add: 'Add', open: 'Open', cancel: 'Cancel', remove: 'Remove',
    members: (count) => (count === '1' ? '1 member' : `${count} members`), online: 'online', offline: 'offline', lastSeen: (time) => `last seen ${time}`,
    connecting: 'Connecting…', connected: '', sending: 'sending', failed: 'Not sent. Try again', deleted: 'This message was deleted', edited: 'edited',
    typing: (names) => `${names} is typing…`, you: 'You', unread: (count) => `${count} unread`, today: 'Today', yesterday: 'Yesterday',
    deletedUser: 'Deleted account', attachment: 'Attachment', expired: 'Your session has ended. Please log in again.', trouble: 'The server could not be reached.',
    bytes: ['B', 'kB', 'MB', 'GB'], uploading: (name) => `Uploading ${name}`,
  },
  fa: {
    brand: 'پیام', slogan: 'سرور گفت‌وگویی که از آنِ شماست', otherLanguage: 'English', otherLanguageShort: 'EN',
    login: 'ورود', signup: 'ثبت‌نام', logout: 'خروج', email: 'رایانامه', password: 'گذرواژه', username: 'نام کاربری',
    chats: 'گفت‌وگوها', newRoom: 'گروه تازه', newPrivate: 'گفت‌وگوی خصوصی', noRooms: 'هنوز گفت‌وگویی ندارید. گروهی بسازید یا با رایانامه به کسی پیام دهید.',
    pickRoom: 'گفت‌وگویی را برگزینید یا آغاز کنید', back: 'بازگشت به فهرست', addMember: 'افزودن افراد', older: 'پیام‌های پیشین',
    noMessages: 'هنوز پیامی نیست. چیزی بگویید!', messages: 'پیام‌ها', attach: 'پیوست پرونده', write: 'پیامی بنویسید', send: 'فرستادن',
    roomName: 'نام گروه', memberEmails: 'رایانامهٔ اعضا، جداشده با ویرگول', theirEmail: 'رایانامهٔ شخص',
    create: 'ساختن', add: 'افزودن', open: 'باز کردن', cancel: 'انصراف', remove: 'برداشتن',
    members: (count) => `${count} عضو`, online: 'برخط', offline: 'برون‌خط', lastSeen: (time) => `آخرین بازدید ${time}`,
    connecting: 'در حال اتصال…', connected: '', sending: 'در حال فرستادن', failed: 'فرستاده نشد. دوباره بکوشید', deleted: 'این پیام پاک شده است', edited: 'ویراسته',
    typing: (names) => `${names} می‌نویسد…`, you: 'شما', unread: (count) => `${count} خوانده‌نشده`, today: 'امروز', yesterday: 'دیروز',
    deletedUser: 'حساب پاک‌شده', attachment: 'پیوست', expired: 'نشست شما به پایان رسیده است. دوباره وارد شوید.', trouble: 'دسترسی به سرور ممکن نشد.',
    bytes: ['بایت', 'کیلوبایت', 'مگابایت', 'گیگابایت'], uploading: (name) => `بارگذاری ${name}`,
  },
};

let language = localStorage.getItem('language') ?? (navigator.languages.some((tag) => tag.startsWith('fa')) ? 'fa' : 'en');
if (!(language in texts)) language = 'en';

const locale = () => (language === 'fa' ? 'fa-IR' : navigator.languages.find((tag) => tag.startsWith('en')) ?? 'en');

export const text = (key, ...values) => (typeof texts[language][key] === 'function' ? texts[language][key](...values) : texts[language][key]);

export function switchLanguage() {
  language = language === 'fa' ? 'en' : 'fa';
  localStorage.setItem('language', language);
  applyLanguage();
}

// Writes the texts into whatever carries data-text, data-label or data-hint.
export function applyLanguage(root = document) {
  document.documentElement.lang = language;
  document.documentElement.dir = language === 'fa' ? 'rtl' : 'ltr';
  for (const node of root.querySelectorAll('[data-text]')) node.textContent = text(node.dataset.text);
  for (const node of root.querySelectorAll('[data-hint]')) node.placeholder = text(node.dataset.hint);
  for (const node of root.querySelectorAll('[data-label]')) {
    node.setAttribute('aria-label', text(node.dataset.label));
    if (node.matches('button, label')) node.title = text(node.dataset.label);
  }
}

export const number = (value, options) => new Intl.NumberFormat(locale(), options).format(value);
export const clock = (time) => new Intl.DateTimeFormat(locale(), {hour: '2-digit', minute: '2-digit'}).format(new Date(time));

export function day(time) {
  const date = new Date(time);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days === 0) return text('today');
  if (days === 1) return text('yesterday');
  const year = days > 300 ? {year: 'numeric'} : {};
  return new Intl.DateTimeFormat(locale(), {weekday: 'long', day: 'numeric', month: 'long', ...year}).format(date);
}

// When something was, as short as it can be: the time today, else the day.
export const when = (time) => (day(time) === text('today') ? clock(time) : day(time));

export function size(bytes) {
  let unit = 0;
  for (; bytes >= 1000 && unit < 3; ++unit) bytes /= 1000;
  return `${number(bytes, {maximumFractionDigits: bytes < 10 ? 1 : 0})} ${text('bytes')[unit]}`;
}
