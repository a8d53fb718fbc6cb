/** What makes a request conditional: the validators of the copy at hand. */
export interface Validators {
  readonly etag: string | null;
  readonly lastModified: string | null;
}

export type Fetched =
  | { readonly kind: 'not_modified' }
  | { readonly kind: 'document'; readonly body: Buffer; readonly validators: Validators };

/** What kind of document is asked for; any other is refused. */
export type Expected = 'xml' | 'json';

/** How to ask the configured upstream. */
export interface UpstreamPort {
  /** @param expected default: XML @throws FetchFailure */
  get(url: string, validators: Validators | null, expected?: Expected): Promise<Fetched>;
  /** Milliseconds for which the host of `base` is left alone; 0: it may be asked. */
  pausedForMs(base: string): number;
}
