export interface ProgressLine {
  /** Shows what is going on; `note` says why it is slow, if it is. At most five times a second. */
  show(text: string, note?: string | null): void;
  end(): void;
}

/** One line that rewrites itself on a terminal, and a line every five seconds anywhere else. Written to standard error. */
export function progressLine(): ProgressLine {
  const terminal = process.stderr.isTTY;
  const interval = terminal ? 200 : 5_000;
  let last = 0;
  let latest = '';
  const write = (text: string) => process.stderr.write(terminal ? `\r\u001b[K${text}` : `${text}\n`);
  return {
    show(text, note) {
      latest = note ? `${text} (${note})` : text;
      if (Date.now() - last < interval) return;
      last = Date.now();
      write(latest);
    },
    end() {
      if (latest) write(latest);
      if (terminal && latest) process.stderr.write('\n');
    },
  };
}
