/**
 * The architecture as rules, each one sentence. `npm run check` runs them over the tree, and over a planted
 * violation that each of them must catch.
 */
const lib = (name) => `^libs/${name}/`;

/** Lowest first: a library may import those of its own line's left side, and nothing else. */
const LAYERS = {
  apimachinery: [],
  proto: [],
  pki: [],
  component: [],
  containerd: [],
  cel: ['apimachinery'],
  api: ['apimachinery', 'cel'],
  etcd: ['proto'],
  cri: ['proto'],
  client: ['apimachinery', 'proto', 'api'],
  store: ['apimachinery', 'proto', 'etcd'],
  cache: ['apimachinery', 'proto', 'api', 'etcd', 'store'],
  'etcd-gate': ['apimachinery', 'proto', 'etcd', 'store'],
  reconcile: ['apimachinery', 'api', 'etcd', 'cache', 'client', 'component'],
  controllers: ['apimachinery', 'pki', 'api', 'cache', 'client', 'reconcile'],
  scheduling: ['apimachinery', 'api', 'cache', 'client', 'reconcile', 'component'],
  operations: ['apimachinery', 'api', 'etcd', 'store', 'cache', 'pki'],
  rest: ['apimachinery', 'api', 'operations', 'component'],
  'grpc-api': ['apimachinery', 'api', 'proto', 'operations', 'component'],
  node: ['apimachinery', 'api', 'etcd', 'store', 'client', 'containerd', 'cri', 'reconcile', 'component'],
  supervisor: ['etcd', 'pki', 'component', 'store', 'containerd'],
  testing: ['etcd', 'pki', 'supervisor', 'containerd', 'cri'],
};

const looksDownOnly = Object.entries(LAYERS).map(([name, below]) => ({
  name: `${name}-looks-down-only`,
  severity: 'error',
  from: { path: lib(name), pathNot: '\\.test\\.ts$' },
  to: { path: '^(libs|apps|test|bench)/', pathNot: [name, ...below].map(lib) },
}));

module.exports = {
  forbidden: [
    ...looksDownOnly,
    {
      name: 'every-library-has-its-layer',
      severity: 'error',
      from: { path: '^libs/', pathNot: Object.keys(LAYERS).map(lib) },
      to: {},
    },
    {
      name: 'applications-never-import-each-other',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'nest-is-the-composition-root-only',
      comment: 'Only main.ts and app.module.ts of an application know Nest.',
      severity: 'error',
      from: { pathNot: '^apps/[^/]+/src/(main|app\\.module)\\.ts$' },
      to: { path: '(^|node_modules/)@nestjs/' },
    },
    {
      name: 'one-door-per-library',
      severity: 'error',
      from: { path: '^(libs|apps)/([^/]+)/' },
      to: { path: '^libs/([^/]+)/', pathNot: ['^$1/$2/', '^libs/[^/]+/src/index\\.ts$'] },
    },
    {
      name: 'etcd3-stays-off-the-data-path',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: ['^libs/testing/', '\\.test\\.ts$'] },
      to: { path: 'node_modules/etcd3/' },
    },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { pathNot: '\\.test\\.ts$' },
      to: { path: '\\.test\\.ts$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['/generated/', '^scripts/planted-violations/'] },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.js'],
    },
  },
};
