import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The last good release-history document of a module. */
@Entity({ name: 'module_documents' })
export class ModuleDocumentEntity {
  @PrimaryColumn({ name: 'module_id', type: 'integer', primaryKeyConstraintName: 'module_documents_pkey' })
  moduleId: number;

  /** SHA-256 of what was read (not of the bytes: mirrors and checksums of archives change without news). */
  @Column({ type: 'text' })
  hash: string;

  @Column({ type: 'text', nullable: true })
  etag: string | null;

  @Column({ name: 'last_modified', type: 'text', nullable: true })
  lastModified: string | null;

  /** The last time upstream confirmed it, changed or not. */
  @Column({ name: 'fetched_at', type: 'timestamptz' })
  fetchedAt: Date;

  @Column({ type: 'integer' })
  revision: number;

  /** The document as read; null: upstream knows no such project. */
  @Column({ type: 'jsonb', nullable: true })
  history: object | null;
}
