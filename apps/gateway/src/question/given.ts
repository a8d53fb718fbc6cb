/** What was asked, without what was not: a contract's optional members are there or not, never undefined. */
export function given(filters: Readonly<Record<string, unknown>>): Record<string, never> {
  return Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined)) as never;
}
