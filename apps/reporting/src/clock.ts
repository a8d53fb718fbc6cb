/** Token of the `Clock` that this service's parts are given. */
export const CLOCK = Symbol('reporting clock');
