/** A document ready to be sent, and until when (milliseconds) it stays as it is. */
export interface Document {
  readonly body: Buffer;
  readonly type: string;
  readonly etag: string;
  readonly lastModified: Date;
  readonly validUntil: number;
}
