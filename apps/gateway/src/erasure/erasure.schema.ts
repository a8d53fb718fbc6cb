import Type from 'typebox';
import { Instant, Nullable, Uuid } from '#libs/contracts';

const Counts = Type.Record(Type.String(), Type.Integer());

/** An erasure as the API's description shows it. */
export const ERASURE = Type.Object({
  id: Uuid,
  kind: Type.Union([Type.Literal('organization'), Type.Literal('sites'), Type.Literal('person')]),
  subjects: Type.Array(Uuid, { description: 'Identifiers of what is erased.' }),
  cause: Type.Union([Type.Literal('request'), Type.Literal('retention')]),
  state: Type.Union([Type.Literal('running'), Type.Literal('done')]),
  requested_at: Instant,
  requested_by: Nullable(Uuid),
  finished_at: Nullable(Instant),
  round: Type.Integer({ description: 'It is done after a round, the second at the earliest, that finds nothing.' }),
  services: Type.Record(
    Type.String(),
    Type.Object({
      state: Type.Union([Type.Literal('waiting'), Type.Literal('answered')], { description: 'In this round.' }),
      erased_rows: Counts,
    }),
  ),
  receipt: Nullable(
    Type.Object(
      {},
      {
        additionalProperties: true,
        description:
          'What was erased, by service and table, what is kept, and why. Its SHA-256 is that of its RFC 8785 form.',
      },
    ),
  ),
  receipt_sha256: Nullable(Type.String({ description: 'The sealed audit log has it, too.' })),
});
