/** Something that a service does besides its messages: it begins after them and ends before them. */
export interface SideWork {
  start(): void;
  stop(): unknown;
  /** Its part in the service's readiness; without it, it has none. */
  health?(): { readonly ok: boolean; readonly detail?: string };
}
