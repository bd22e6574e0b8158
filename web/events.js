// The event reference at /docs/events, made from the server's own AsyncAPI document.

const api = await (await fetch('/asyncapi.json')).json();
const schemas = api.components.schemas;

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// `code` and the rest, of a description's text.
function prose(text) {
  return text.split('`').map((part, index) => (index % 2 ? element('code', {}, part) : part));
}

const nameOf = (reference) => reference.split('/').at(-1);
const follow = (schema) => (schema.$ref ? schemas[nameOf(schema.$ref)] : schema);

const LIMITS = {minLength: 'at least', maxLength: 'at most', minimum: '≥', maximum: '≤', minItems: 'at least', maxItems: 'at most',
  maxProperties: 'at most', format: '', pattern: ''};

// A type in words: what it is made of links to the types below.
function typeOf(schema) {
  if (schema.$ref) {
    const name = nameOf(schema.$ref);
    return [element('a', {href: `#type-${name}`}, element('code', {}, name))];
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.flatMap((choice, index) => (index ? [' or ', ...typeOf(choice)] : typeOf(choice)));
  if (schema.const !== undefined) return [element('code', {}, JSON.stringify(schema.const))];
  if (schema.enum) return schema.enum.flatMap((value, index) => [index ? ', ' : '', element('code', {}, JSON.stringify(value))]);
  if (schema.type === 'array') return ['list of ', ...typeOf(schema.items ?? {}), limitsOf(schema)];
  if (schema.additionalProperties) return ['object of ', ...typeOf(schema.additionalProperties), limitsOf(schema)];
  return [(Array.isArray(schema.type) ? schema.type.join(' or ') : schema.type) ?? 'anything', limitsOf(schema)];
}

function limitsOf(schema) {
  const words = Object.entries(LIMITS).filter(([key]) => schema[key] !== undefined).map(([key, word]) => `${word} ${schema[key]}`.trim());
  return words.length ? ` (${words.join(', ')})` : '';
}

// The fields of an object, those of its parts included; null if it is none.
function fieldsOf(schema) {
  const target = follow(schema);
  if (target.allOf) {
    const parts = target.allOf.map(fieldsOf);
    return parts.every(Boolean) ? parts.flat() : null;
  }
  if (target.type !== 'object' || target.additionalProperties) return null;
  const required = new Set(target.required ?? []);
  return Object.entries(target.properties ?? {}).map(([name, type]) => ({name, type, required: required.has(name)}));
}

function showSchema(schema) {
  const fields = fieldsOf(schema);
  if (!fields) return element('p', {}, ...typeOf(schema));
  if (!fields.length) return element('p', {class: 'soft'}, 'No fields.');
  const rows = fields.map(({name, type, required}) => element('tr', {}, element('td', {}, element('code', {}, name)),
    element('td', {}, ...typeOf(type)), element('td', {class: 'soft'}, required ? '' : 'may be missing')));
  return element('table', {}, element('tbody', {}, ...rows));
}

const messageOf = (reference) => api.components.messages[nameOf(reference.$ref)];

function showOperation(key, operation) {
  const message = messageOf(operation.messages[0]);
  const article = element('article', {id: key}, element('h3', {}, message.name), element('p', {}, ...prose(message.summary)));
  if (message.description) article.append(element('p', {class: 'soft'}, ...prose(message.description)));
  article.append(element('h4', {}, 'Argument'), message.payload ? showSchema(message.payload) : element('p', {class: 'soft'}, 'None.'));
  if (operation.reply) {
    article.append(element('h4', {}, 'Acknowledgement'), showSchema(messageOf(operation.reply.messages[0]).payload));
  }
  return article;
}

const operations = Object.entries(api.operations);
const sections = [['Clients emit', 'receive'], ['The server emits', 'send']].map(([title, action]) =>
  [title, operations.filter(([, operation]) => operation.action === action)]);

const page = document.getElementById('reference');
page.replaceChildren(
  element('h1', {}, 'Events'),
  element('p', {}, ...prose(api.info.description)),
  element('p', {class: 'soft'}, `Version ${api.info.version}. Path `, element('code', {}, api.servers.here.pathname), ', namespace ',
    element('code', {}, api.channels.namespace.address), '. ', element('a', {href: '/asyncapi.json'}, 'AsyncAPI 3.0 document'), ', ',
    element('a', {href: '/docs'}, 'REST calls'), '.'),
  element('h2', {}, 'Connecting'),
  ...Object.values(api.components.securitySchemes).map((scheme) => element('p', {}, ...prose(scheme.description))),
  ...sections.flatMap(([title, list]) => [
    element('h2', {}, title),
    element('nav', {'aria-label': title}, element('ul', {}, ...list.map(([key, operation]) =>
      element('li', {}, element('a', {href: `#${key}`}, element('code', {}, operation.title)))))),
    ...list.map(([key, operation]) => showOperation(key, operation)),
  ]),
  element('h2', {}, 'A refusal'),
  element('article', {id: 'refusal'}, element('h3', {}, 'error (ack)'), showSchema(api.components.messages['error.ack'].payload)),
  element('h2', {}, 'Types'),
  ...Object.entries(schemas).map(([name, schema]) => element('article', {id: `type-${name}`}, element('h3', {}, name), showSchema(schema))),
);
document.getElementById(location.hash.slice(1))?.scrollIntoView();  // it was not there when the page was opened
