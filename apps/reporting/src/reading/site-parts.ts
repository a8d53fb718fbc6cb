/** Into how many parts the sites of a scope fall, by site id. More parts: less to read after a change, more to keep apart. */
export const SITE_PARTS = 128;
