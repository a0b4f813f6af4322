/**
 * Makes what the build derives from other sources: message classes from `proto/` and the schemas of the
 * kinds from the declarations of `kubernetes-models`. Output goes to
 * `generated/` folders, which git ignores. A step is skipped when its output is newer than its inputs.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules/.bin', name);

/** One JavaScript module per contract: name of the output, the proto files in it. */
const contracts: Record<string, string[]> = {
  store: ['proto/periplus/store/v1/record.proto'],
  api: ['proto/periplus/api/v1/resources.proto'],
  etcd: globSync('proto/etcd/*.proto', { cwd: root }),
  cri: globSync('proto/cri/*.proto', { cwd: root }),
  grpc: globSync('proto/grpc/**/*.proto', { cwd: root }),
  errors: ['proto/google/rpc/status.proto', 'proto/kubernetes/status.proto'],
  containerd: globSync('proto/containerd/*.proto', { cwd: root }),
};

const changedAt = (path: string): number => (existsSync(path) ? statSync(path).mtimeMs : 0);
const isFresh = (output: string, inputs: string[]): boolean =>
  changedAt(output) > Math.max(changedAt(import.meta.filename), ...inputs.map((input) => changedAt(join(root, input))));

for (const [name, files] of Object.entries(contracts)) {
  const js = join(root, 'libs/proto/generated', `${name}.js`);
  const types = js.replace(/\.js$/, '.d.ts');
  if (files.length === 0 || isFresh(types, files)) continue;
  console.log(`generate: libs/proto/generated/${name}.js`);
  mkdirSync(dirname(js), { recursive: true });
  const pbjs = ['-t', 'static-module', '-w', 'es6', '--force-number', '--no-verify', '--no-delimited', '--no-service'];
  execFileSync(bin('pbjs'), [...pbjs, '-r', name, '-p', 'proto', '-o', js, ...files], {
    cwd: root,
    stdio: 'inherit',
  });
  execFileSync(bin('pbts'), ['-o', types, js], { cwd: root, stdio: 'inherit' });
}

/** What the api-server offers, for gRPC server reflection. */
const described = [contracts.store, contracts.api, contracts.etcd, contracts.grpc]
  .flat()
  .filter((file) => file !== undefined);
const descriptors = join(root, 'libs/proto/generated/descriptors.js');
if (!isFresh(descriptors, [...described, 'scripts/descriptors.ts'])) {
  console.log('generate: libs/proto/generated/descriptors.js');
  const { descriptorsOf } = await import('./descriptors.ts');
  writeFileSync(
    descriptors.replace(/\.js$/, '.d.ts'),
    `import type { FileDescription } from '../src/descriptors.ts';\nexport const descriptors: Readonly<Record<string, FileDescription>>;\n`,
  );
  writeFileSync(descriptors, descriptorsOf(join(root, 'proto'), described));
}

/** What is made of the declarations of kubernetes-models and of our own: the schemas that requests are read by, and OpenAPI's. */
const schemas = join(root, 'libs/api/generated/schemas.js');
const definitions = join(root, 'libs/api/generated/definitions.js');
const schemaSources = [
  'node_modules/kubernetes-models/package.json',
  ...globSync('scripts/schemas/*.ts', { cwd: root }),
];
if (!isFresh(schemas, schemaSources) || !isFresh(definitions, schemaSources)) {
  console.log('generate: libs/api/generated/{schemas,definitions}.js');
  const { readDeclarations } = await import('./schemas/declarations.ts');
  const { moduleOf } = await import('./schemas/module.ts');
  const { definitionsModuleOf } = await import('./schemas/definitions.ts');
  const { metricsDefinitions } = await import('./schemas/metrics.ts');
  const { schedulingDefinitions } = await import('./schemas/scheduling.ts');
  const declarations = await readDeclarations(join(root, 'node_modules'));
  for (const definition of [...metricsDefinitions, ...schedulingDefinitions])
    declarations.set(definition.id, definition);
  mkdirSync(dirname(schemas), { recursive: true });
  writeFileSync(
    schemas.replace(/\.js$/, '.d.ts'),
    `import type { Schema } from '@periplus/apimachinery';\nexport const schemas: Readonly<Record<string, Schema>>;\n`,
  );
  writeFileSync(schemas, moduleOf(declarations));
  writeFileSync(definitions.replace(/\.js$/, '.d.ts'), `export const packed: string;\nexport const digest: string;\n`);
  writeFileSync(definitions, definitionsModuleOf(declarations));
}

/** What columns say of the fields that they show. */
const fieldTexts = join(root, 'libs/api/generated/field-texts.js');
const describing = globSync('libs/api/src/**/*.ts', { cwd: root });
if (!isFresh(fieldTexts, [...schemaSources, ...describing])) {
  const { fieldTextsModuleOf } = await import('./schemas/field-texts.ts');
  writeFileSync(
    fieldTexts.replace(/\.js$/, '.d.ts'),
    `export const fieldTexts: Readonly<Record<string, string | undefined>>;\n`,
  );
  const sources = describing.map((file) => readFileSync(join(root, file), 'utf8'));
  writeFileSync(fieldTexts, await fieldTextsModuleOf(sources));
}
