/** How often the figures of an organization are made. */
export const FIGURES = ['weekly', 'hourly'] as const;
export type Figures = (typeof FIGURES)[number];
