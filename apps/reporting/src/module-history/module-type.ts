import type { ModuleRow } from '#libs/contracts';

type ModuleType = NonNullable<ModuleRow['type']>;

const BY_PROJECT: Readonly<Record<string, ModuleType>> = {
  project_core: 'core',
  project_module: 'module',
  project_theme: 'theme',
  project_distribution: 'profile',
  project_profile: 'profile',
};
const WORDS: readonly string[] = ['core', 'module', 'theme', 'profile'];

/**
 * The type of a module in the product's words. Drupal.org's counts; of what it calls otherwise (`project_general`) or does not know, what
 * the sites say. null: nobody says.
 */
export function moduleType(projectType: string | null, reported: string | null): ModuleType | null {
  const ofProject = projectType === null ? undefined : BY_PROJECT[projectType];
  if (ofProject) return ofProject;
  return reported !== null && WORDS.includes(reported) ? (reported as ModuleType) : null;
}
