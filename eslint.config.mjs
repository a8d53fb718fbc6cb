// Rules that catch defects or keep the code readable in the same way everywhere. Formatting is Prettier's; import directions are the import law's
// (.dependency-cruiser.cjs), and rules that need types are oxlint's (.oxlintrc.json), whose compiler takes a fifth of the time for them.
// A rule whose message would not help by itself is given one with the reason.
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['node_modules', 'dist', 'coverage', '.data', '**/data/**', 'tools/upstream/data'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommended],
    // As in tsconfig.json: what a decorated signature names is needed when it runs.
    languageOptions: { parserOptions: { experimentalDecorators: true, emitDecoratorMetadata: true } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // An interface imported as a value dies at start where decorator metadata is emitted.
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', prefer: 'type-imports' },
      ],
      '@typescript-eslint/no-import-type-side-effects': 'off',
      '@typescript-eslint/max-params': ['error', { max: 5 }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: "ImportDeclaration[source.value='assert']",
          message: 'Throw an error that says what is wrong; a failed assertion says nothing to whoever runs this.',
        },
        {
          selector: 'TSEnumDeclaration',
          message: 'Use a union of string literals: an enum is code at run time and does not survive JSON.',
        },
      ],
    },
  },
  {
    // What runs as a service: settings come in as ServiceConfig, and only the process's edge ends a process.
    files: ['apps/**/*.ts'],
    ignores: ['**/*.spec.ts', '**/*.e2e-spec.ts', 'apps/*/test/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message:
            'Read settings from ServiceConfig (config.env): all services may run in one process, and tests give their own.',
        },
        {
          object: 'process',
          property: 'exit',
          message: 'Throw, or stop in order: all services may run in one process. Only runService ends it.',
        },
      ],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // Pure: the same answer for the same input, today and in ten years. The suffix-less files of apps are the domain.
    files: ['libs/drupal/src/**/*.ts', 'libs/contracts/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'Take the time as an argument: this code is pure.',
        },
        {
          selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
          message: 'Take the time as an argument: this code is pure.',
        },
      ],
    },
  },
  {
    files: ['**/*.spec.ts', '**/*.e2e-spec.ts', 'apps/*/test/**/*.ts', 'e2e/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          // `(there ? it : it.skip)(...)` stays possible.
          selector: 'CallExpression[callee.object.name=/^(it|test|describe)$/][callee.property.name=/^(only|skip)$/]',
          message:
            'The whole suite runs. When something cannot run here, skip it on that condition and say why in a clear line (see the conformance tests).',
        },
        {
          selector: "AwaitExpression > NewExpression[callee.name='Promise'] CallExpression[callee.name='setTimeout']",
          message:
            'Wait for the event with eventually(), which fails on time-out; a sleep is too short on one machine and too long on all others.',
        },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['tools/**/*.ts', 'apps/*/src/main.ts', 'apps/gateway/src/verify-audit.ts', 'e2e/**/*.ts'],
    // Programs for a terminal, and the edge of a process.
    rules: { 'no-console': 'off', 'no-restricted-properties': 'off' },
  },
);
