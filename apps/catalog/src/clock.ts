/** Token of the `Clock` that this service's parts are given. */
export const CLOCK = Symbol('catalog clock');
/** Token of the logger. */
export const LOGGER = Symbol('catalog logger');
