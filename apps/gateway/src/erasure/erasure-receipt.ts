import { createHash } from 'node:crypto';
import type { Erasure } from './erasure.entity.js';

/** What stays of an erased subject, and why. */
const KEPT = {
  'gateway.audit_log':
    'who did what and when, from which network address and with which program, and what organizations, sites and keys were called then: the log is append-only and sealed, and must show misuse afterwards. No person’s name and no address of mail is in it: it names people by identifiers that nothing else explains any more.',
  'gateway.erasures': 'this receipt',
  backups: 'copies made before, until the operator’s time for them is over; after restoring one, erase again',
} as const;

const KEPT_OF_A_PERSON = {
  'gateway.users':
    'the bare row without name, address and password, so that what she did keeps its author’s identifier',
} as const;

/** The receipt as a text that is the same for the same facts: RFC 8785, as far as it has texts, whole numbers, lists and objects. */
export function receiptOf(erasure: Erasure, finishedAt: Date): string {
  return canonical({
    id: erasure.uuid,
    kind: erasure.kind,
    subjects: [...erasure.subjectUuids],
    cause: erasure.cause,
    requested_by: erasure.requestedBy,
    requested_at: erasure.requestedAt.toISOString(),
    finished_at: finishedAt.toISOString(),
    rounds: erasure.round,
    erased_rows: Object.fromEntries(Object.entries(erasure.parts).map(([service, part]) => [service, part.erased])),
    kept: { ...KEPT, ...(erasure.kind === 'person' ? KEPT_OF_A_PERSON : {}) },
  });
}

/** SHA-256 of a receipt in hex: the audit log has it, too. */
export function hashOf(receipt: string): string {
  return createHash('sha256').update(receipt).digest('hex');
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`);
  return `{${members.join(',')}}`;
}
