// What a planner is shown of a record, in JavaScript, where a text is UTF-16: slice, trim, String, JSON.parse and the
// order of keys are the engine's own here, and the rules are docs/formats.md's.

const LIMITS = { notes: 500, tasks: 500, todo: 500, calendar: 500, journal: 500, kontext: 1500, profile: 2000 };
const PLACES = {
  notes: ['notes', 'notes'],
  tasks: ['todo', 'tasks'],
  todo: ['todo', 'tasks'],
  calendar: ['calendar', 'events'],
  journal: ['journal', 'journalEntries'],
  kontext: ['kontext', 'kontextDoc'],
  profile: ['profile', 'userContext'],
  goals: ['companion', 'companionGoals'],
};
const READ = {
  notes: ['title', 'content'],
  tasks: ['title', 'status', 'description', 'dueDate'],
  todo: ['title', 'status', 'description', 'dueDate'],
  calendar: ['title', 'startDate', 'location'],
  journal: ['title', 'content'],
  kontext: ['content'],
  profile: ['about', 'interests', 'routine', 'nutrition', 'goals', 'social', 'freeform'],
  goals: ['title', 'currentValue', 'target', 'period'],
};
const TITLES = { notes: 'Notiz', tasks: 'Task', todo: 'Task', calendar: 'Termin', journal: 'Journal-Eintrag' };

/// Null where the table is not the module's.
export function inputModule(module, table) {
  if (!Object.hasOwn(PLACES, module) || PLACES[module][1] !== table) return null;
  const units = LIMITS[module] ?? null;
  return { app: PLACES[module][0], consent: module !== 'goals', fields: READ[module], units };
}

export function plannerInput(module, fields) {
  if (!Object.hasOwn(PLACES, module)) throw new Error('no such module');
  const record = new Map(fields.map(({ name, json }) => [name, parse(json)]));
  if (record.size !== fields.length) throw new Error('a field stands twice');
  const content = cut(contentOf(module, (name) => record.get(name)), LIMITS[module]);
  return { title: titleOf(module, record.get('title')), content, units: content.length };
}

// Titles

function titleOf(module, title) {
  if (module === 'kontext') return 'Mana-Kontext';
  if (module === 'profile') return 'Nutzerprofil';
  if (module === 'goals') return asText(title ?? 'Goal');
  return typeof title === 'string' ? title : TITLES[module];
}

// Content

function contentOf(module, field) {
  switch (module) {
    case 'notes':
    case 'kontext': {
      const content = field('content') ?? null;
      if (typeof content === 'string') return content;
      return content === null ? '""' : asJSON(content);
    }
    case 'journal':
      return typeof field('content') === 'string' ? field('content') : '';
    case 'tasks':
    case 'todo':
      return line(
        wrapped('[', field('status'), ']'),
        titlePart(field('title')),
        wrapped('— ', field('description')),
        wrapped('(faellig: ', field('dueDate'), ')'),
      );
    case 'calendar':
      return line(titlePart(field('title')), wrapped('@ ', field('startDate')), wrapped('in ', field('location')));
    case 'profile':
      return READ.profile.map((name) => profileLine(field(name))).filter((text) => text !== null).join('\n');
    case 'goals': {
      const target = field('target');
      const value = target instanceof Members ? target.get('value') : undefined;
      const [current, wanted] = [asText(field('currentValue') ?? '0'), asText(value ?? '?')];
      return `Fortschritt: ${current} / ${wanted} (${asText(field('period') ?? 'unbekannt')})`;
    }
  }
}

const line = (...parts) => parts.filter((part) => part !== '').join(' ');
const titlePart = (title) => (typeof title === 'string' ? title : '(ohne Titel)');
const wrapped = (before, text, after = '') =>
  typeof text === 'string' && text !== '' ? `${before}${text}${after}` : '';

function profileLine(value) {
  if (typeof value === 'string') return value.trim() === '' ? null : value.trim();
  return value instanceof Members || Array.isArray(value) ? asJSON(value) : null;
}

/// slice counts UTF-16 units. What it leaves of a pair is half of one, and goes.
function cut(text, units) {
  if (units === undefined || text.length <= units) return text;
  return `${text.slice(0, units).replace(/[\ud800-\udbff]$/, '')}…`;
}

// JSON. The engine reads it, but for numbers: those keep their digits, so each goes through as a marked text.

class Digits {
  constructor(text) {
    this.text = text;
  }
}

/// Keys as the engine orders them: an object of its own gives them back in the order of a parsed object.
class Members {
  constructor(object) {
    this.object = object;
  }

  get(name) {
    return Object.hasOwn(this.object, name) ? this.object[name] : undefined;
  }
}

const MARK = '\u0000number ';

function parse(json) {
  JSON.parse(json); // With its numbers as they are, so that a wrong one is refused.
  if (json.includes('\\u0000number ')) throw new Error('a text looks like our mark');
  const marked = json.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/gs, (token) =>
    token.startsWith('"') ? token : `"\\u0000number ${token}"`,
  );
  return revived(JSON.parse(marked));
}

function revived(value) {
  if (typeof value === 'string') return value.startsWith(MARK) ? new Digits(value.slice(MARK.length)) : value;
  if (Array.isArray(value)) return value.map(revived);
  if (value === null || typeof value !== 'object') return value;
  const object = {};
  for (const key of Object.keys(value)) {
    const member = { value: revived(value[key]), enumerable: true, configurable: true, writable: true };
    Object.defineProperty(object, key, member);
  }
  return new Members(object);
}

function asJSON(value) {
  if (value instanceof Digits) {
    const text = spelled(value.text);
    return text.endsWith('Infinity') ? 'null' : text;
  }
  if (Array.isArray(value)) return `[${value.map(asJSON).join(',')}]`;
  if (!(value instanceof Members)) return JSON.stringify(value);
  const members = Object.keys(value.object).map((key) => `${JSON.stringify(key)}:${asJSON(value.object[key])}`);
  return `{${members.join(',')}}`;
}

/// As String does, which gives nothing for a null within a list.
function asText(value) {
  if (value instanceof Digits) return spelled(value.text);
  if (value instanceof Members) return String({});
  return Array.isArray(value) ? value.map((element) => (element === null ? '' : asText(element))).join(',') : String(value);
}

// Numbers

/// The engine's spelling wherever the engine holds the number; otherwise Number::toString over the digits that stand
/// in the text, and an infinity or a zero only where no double is near.
function spelled(text) {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  const all = `${whole}${fraction}`;
  const leading = /^0*/.exec(all)[0].length;
  const digits = all.slice(leading).replace(/0+$/, '');
  if (digits === '') return '0';
  // The value is 0.digits times ten to the power of point.
  const point = whole.length - leading + Number(exponent);
  if (digits.length <= 15 && point > -307 && point < 308) return String(Number(text));
  if (point > 309) return `${sign}Infinity`;
  if (point < -323) return '0';
  return sign + positional(digits, point);
}

function positional(digits, point) {
  if (point > 21 || point <= -6) {
    const power = point - 1;
    const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
    return `${mantissa}e${power < 0 ? '-' : '+'}${Math.abs(power)}`;
  }
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return digits.padEnd(point, '0');
  return `${digits.slice(0, point)}.${digits.slice(point)}`;
}
