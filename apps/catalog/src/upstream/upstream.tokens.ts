/** Token of the `UpstreamParts`. */
export const UPSTREAM = Symbol('upstream');
