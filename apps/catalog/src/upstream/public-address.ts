/** 4 or 6 for what is written like an IP address, 0 for anything else. Forms that only some resolvers know (`0x7f.1`, `2130706433`) are names. */
export function ipFamily(text: string): 0 | 4 | 6 {
  if (/^(\d{1,3}\.){3}\d{1,3}$/.test(text)) return text.split('.').every((part) => Number(part) <= 255) ? 4 : 0;
  return text.includes(':') && /^[0-9a-f:.]+(%[\w.]+)?$/i.test(text) ? 6 : 0;
}

/**
 * Whether `address` (an IP in its canonical form, as a resolver answers) lies on the public internet: not loopback, private, link-local,
 * carrier-grade NAT, unique local, multicast, unspecified or reserved, and no IPv6 form that carries such an IPv4 address.
 */
export function isPublicAddress(address: string): boolean {
  const family = ipFamily(address);
  if (family === 4) return isPublicV4(address.split('.').map(Number));
  if (family !== 6) return false;
  const words = expandV6(address);
  const embedded = [words[6]! >> 8, words[6]! & 255, words[7]! >> 8, words[7]! & 255];
  const zeros = (from: number, to: number) => words.slice(from, to).every((word) => word === 0);
  if (zeros(0, 5) && (words[5] === 0xffff || words[5] === 0)) return words[5] === 0xffff && isPublicV4(embedded);
  if (words[0] === 0x64 && words[1] === 0xff9b) return zeros(2, 6) && isPublicV4(embedded);
  if (words[0] === 0x2002) return isPublicV4([words[1]! >> 8, words[1]! & 255, words[2]! >> 8, words[2]! & 255]);
  // Only 2000::/3 is given out; of it, 2001:0::/32 (Teredo) and the documentation prefix are not hosts.
  return (
    words[0]! >> 13 === 1 && !(words[0] === 0x2001 && (words[1] === 0 || words[1] === 0xdb8)) && words[0] !== 0x3fff
  );
}

function isPublicV4([a = 0, b = 0, c = 0]: readonly number[]): boolean {
  if (a === 0 || a === 10 || a === 127 || a >= 224) return false;
  if (a === 100 && b >= 64 && b < 128) return false;
  if (a === 169 && b === 254) return false;
  if (a === 172 && b >= 16 && b < 32) return false;
  if (a === 192 && (b === 168 || (b === 0 && (c === 0 || c === 2)) || (b === 88 && c === 99))) return false;
  if (a === 198 && (b === 18 || b === 19 || (b === 51 && c === 100))) return false;
  return !(a === 203 && b === 0 && c === 113);
}

function expandV6(address: string): number[] {
  let text = address.replace(/%.*$/, '');
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (dotted) {
    const [, head, a, b, c, d] = dotted;
    text = `${head}${((Number(a) << 8) | Number(b)).toString(16)}:${((Number(c) << 8) | Number(d)).toString(16)}`;
  }
  const [head = '', tail] = text.split('::');
  const left = head ? head.split(':') : [];
  const right = tail ? tail.split(':') : [];
  const gap = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...gap, ...right].map((word) => Number.parseInt(word, 16));
}
