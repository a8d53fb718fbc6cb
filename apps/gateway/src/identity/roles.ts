/** What a person can be in an organization; what each may do says `principal.ts`. */
export const ROLES = ['administrator', 'user', 'developer'] as const;
export type Role = (typeof ROLES)[number];
