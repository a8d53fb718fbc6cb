import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A message whose mail has been written down. Delivered again, it does nothing: a mail cannot be taken back. */
@Entity({ name: 'inbox' })
@Index('inbox_handled', ['handledAt'])
export class InboxMessageEntity {
  @PrimaryColumn({ name: 'message_id', type: 'text', primaryKeyConstraintName: 'inbox_pkey' })
  messageId: string;

  @Column({ name: 'handled_at', type: 'timestamptz' })
  handledAt: Date;
}
