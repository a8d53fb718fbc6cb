/** What `start.ts` connects and the features inject. Interfaces have no runtime name, so they need one here. */
export const CACHE = Symbol('connection to the Redis whose content may vanish');
export const STREAMS = Symbol('connection to the Redis that carries messages');
export const CLOCK = Symbol('clock');
export const LOGGER = Symbol('logger');
export const SETTINGS = Symbol('settings of the gateway');
