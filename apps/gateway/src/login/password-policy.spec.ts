import { commonPasswords } from './common-passwords.js';
import { faultOf } from './password-policy.js';

const ada = {
  email: 'ada.lovelace@agency.example',
  name: 'Ada Lovelace',
  organizations: ['Analytical Engines'],
  hasSecondFactor: false,
};
const fault = (password: string, hasSecondFactor = false) =>
  faultOf(password, { ...ada, hasSecondFactor })?.code ?? null;

/** Passwords of the lists that every guesser has, and what people make of them when they must be longer. */
const COMMON = [
  '123456789012345',
  'aaaaaaaaaaaaaaaaaaaa',
  'abcabcabcabcabcabc',
  'password12345678',
  'passwordpassword',
  'P@ssw0rdP@ssw0rd!',
  'qwertyuiopasdfghjkl',
  'abcdefghijklmnopqrstuvwxyz',
  'iloveyouiloveyou',
  'Administrator2026!',
  'letmeinletmein123',
  'Patchwatch-Patchwatch-1',
  'adalovelace12345',
  'AnalyticalEngines2026',
  'welcomewelcome1234',
  'Summer2026Summer2026',
];

describe('a new password', () => {
  it('S01: has 15 characters, or 12 where a second factor is, and may have 128 and more', () => {
    const long = 'tulpen im regen stehen still und warten auf den ersten zug nach norden ';
    expect([11, 12, 14, 15].map((length) => fault(long.slice(0, length)))).toEqual([
      'too_short',
      'too_short',
      'too_short',
      null,
    ]);
    expect([11, 12, 14, 15].map((length) => fault(long.slice(0, length), true))).toEqual([
      'too_short',
      null,
      null,
      null,
    ]);
    expect(fault((long + long).slice(0, 128))).toBeNull();
    // Characters, not the units they are encoded in.
    expect(fault('🌷🚂🌧️🧭🎻🪁🦉')).toBe('too_short');
  });

  it('S02: needs no digits, capitals or signs', () => {
    expect(fault('kranichfeuerzeug')).toBeNull();
    expect(fault('tomatoes hum quietly')).toBeNull();
  });

  it.each(COMMON)('S03: is not %s', (password) => {
    expect(fault(password)).toBe('too_common');
  });

  it('S03: is none of 5,000 frequent ones, repeated until it is long enough, or with figures, a year and signs around it', () => {
    const taken = [...commonPasswords()].flatMap((word) =>
      [
        word.repeat(Math.ceil(15 / word.length)),
        `${word}${'1234567890123'.slice(0, Math.max(0, 15 - word.length))}`,
        `${word}2026!!!!!!!!`.slice(0, Math.max(15, word.length)),
        `12${word}34!!!!!!!!!!`,
      ]
        .filter((password) => password.length >= 15)
        .filter((password) => fault(password) === null),
    );
    expect(taken).toEqual([]);
  });

  it.each(['Volvo-Kiesel_Ahorn', 'the summer of the monkey bridge', 'gjf8Qm2xLp0vTz4', 'Äpfel, Birnen und Quitten'])(
    'S02, S03: may be %s',
    (password) => {
      expect(fault(password)).toBeNull();
    },
  );
});
