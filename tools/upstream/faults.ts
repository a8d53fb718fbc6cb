/**
 * How an upstream can be broken; each is something a real one or a machine in between has done.
 * - `status`: that HTTP status, with an optional Retry-After;
 * - `truncated`: the first half of the document, ended as if whole;
 * - `cut`: the connection ends in the middle of the body;
 * - `slow`: the answer comes only after `delayMs`;
 * - `wrong-type`: status 200 and an HTML page;
 * - `empty`: status 200 and nothing;
 * - `doctype`: a document that declares entities;
 * - `oversized`: a small gzip body that unpacks to `bytes`;
 * - `redirect`: 302 to `location`;
 * - `older`: the document as it was at `asOf`, with the validators of then.
 */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
  | { readonly kind: 'truncated' }
  | { readonly kind: 'cut' }
  | { readonly kind: 'slow'; readonly delayMs: number }
  | { readonly kind: 'wrong-type' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'doctype' }
  | { readonly kind: 'oversized'; readonly bytes: number }
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'older'; readonly asOf: Date };

export interface FaultRule {
  readonly fault: Fault;
  /** Which paths are hit; a string must be the whole path. Default: all. */
  readonly path?: string | RegExp;
  /** How many answers are spoilt before all is well again. Default: until `heal()`. */
  readonly times?: number;
}

/** The faults in force, first match first. */
export class FaultRules {
  private rules: { rule: FaultRule; left: number }[] = [];

  add(rule: FaultRule): void {
    this.rules.push({ rule, left: rule.times ?? Infinity });
  }

  clear(): void {
    this.rules = [];
  }

  /** The fault for a request of `path`, and counts it. */
  take(path: string): Fault | null {
    const found = this.rules.find(
      ({ rule, left }) =>
        left > 0 &&
        (rule.path === undefined || (typeof rule.path === 'string' ? rule.path === path : rule.path.test(path))),
    );
    if (!found) return null;
    found.left -= 1;
    return found.rule.fault;
  }
}
