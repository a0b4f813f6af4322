/**
 * Bundles every application that nest-cli.json names into `dist/<name>/main.js`. One file a process starts
 * several times faster than hundreds, and needs no compiler where it runs.
 */
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const { projects } = JSON.parse(readFileSync(join(root, 'nest-cli.json'), 'utf8')) as {
  projects: Record<string, { type: string; sourceRoot: string; entryFile: string }>;
};

const require = createRequire(import.meta.url);

/** Frameworks probe for packages that are not installed (Nest's transports); such a probe must fail at run time, as it would unbundled. */
const optionalPackages = {
  name: 'optional-packages',
  setup(plugins: import('esbuild').PluginBuild) {
    plugins.onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
      if (kind !== 'require-call' && kind !== 'dynamic-import') return null;
      try {
        require.resolve(path);
        return null;
      } catch {
        return { path, external: true };
      }
    });
  },
};

/** Published schemas are large and seldom asked for: they stay a file, which the program imports when it must. */
const definitionsApart = {
  name: 'definitions-apart',
  setup(plugins: import('esbuild').PluginBuild) {
    plugins.onResolve({ filter: /\/generated\/definitions\.js$/ }, ({ path, resolveDir }) => {
      mkdirSync(join(root, 'dist'), { recursive: true });
      copyFileSync(join(resolveDir, path), join(root, 'dist/definitions.js'));
      return { path: '../definitions.js', external: true };
    });
  },
};

const started = performance.now();
await Promise.all(
  Object.entries(projects)
    .filter(([, project]) => project.type === 'application')
    .map(([name, project]) =>
      build({
        absWorkingDir: root,
        entryPoints: [join(project.sourceRoot, `${project.entryFile}.ts`)],
        outfile: join('dist', name, 'main.js'),
        bundle: true,
        platform: 'node',
        format: 'esm',
        target: 'node24',
        minifySyntax: true,
        minifyWhitespace: true,
        sourcemap: 'linked',
        sourcesContent: false,
        legalComments: 'none',
        plugins: [optionalPackages, definitionsApart],
        // Bundled CommonJS packages call require().
        banner: {
          js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
        },
        logLevel: 'warning',
      }),
    ),
);
console.log(`build: ${Object.keys(projects).length} applications in ${Math.round(performance.now() - started)} ms`);
