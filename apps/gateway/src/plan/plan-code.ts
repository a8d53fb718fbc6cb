/** What a plan can be called by: small letters, digits and _. */
export const PLAN_CODE = /^[a-z][a-z0-9_]{0,31}$/;
