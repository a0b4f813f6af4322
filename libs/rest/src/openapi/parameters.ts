/** A parameter of an operation, as OpenAPI of both versions describes it. */
export interface Parameter {
  name: string;
  in: 'path' | 'query';
  type: 'string' | 'boolean' | 'integer';
  description: string;
  required?: true;
}

const query = (name: string, type: Parameter['type'], description: string): Parameter => ({
  name,
  in: 'query',
  type,
  description,
});

const inPath = (name: string, description: string): Parameter => ({
  name,
  in: 'path',
  type: 'string',
  description,
  required: true,
});

const dryRun = query('dryRun', 'string', 'All: check and admit the request as usual, and store nothing.');
const fieldManager = query('fieldManager', 'string', 'Who makes this change; 128 printable characters at most.');
const fieldValidation = query(
  'fieldValidation',
  'string',
  'What becomes of unknown and duplicate fields. Strict: the request is refused. Warn: it is served with a warning for each. Ignore: they are dropped in silence.',
);
const selection: readonly Parameter[] = [
  query('continue', 'string', 'The token of the page before; the rest of the query must be the same.'),
  query('fieldSelector', 'string', 'Only objects whose fields have these values. Everything by default.'),
  query('labelSelector', 'string', 'Only objects whose labels match. Everything by default.'),
  query('limit', 'integer', 'Objects on one page at most; what is left is behind the continue token.'),
  query('resourceVersion', 'string', 'Which version of the data the answer is taken from.'),
  query('resourceVersionMatch', 'string', 'How resourceVersion is meant: Exact or NotOlderThan.'),
  query('sendInitialEvents', 'boolean', 'Begins a watch with the objects that there are, and a bookmark behind them.'),
  query('timeoutSeconds', 'integer', 'How long a list or watch may take.'),
];
const deletion: readonly Parameter[] = [
  dryRun,
  query('gracePeriodSeconds', 'integer', 'Seconds until the object goes; 0 is at once. Its own default when absent.'),
  query('orphanDependents', 'boolean', 'Deprecated: use propagationPolicy.'),
  query(
    'propagationPolicy',
    'string',
    'What becomes of the objects that it owns: Orphan leaves them, Background deletes them afterwards, Foreground before.',
  ),
];

export const NAMESPACE = inPath('namespace', 'object name and auth scope, such as for teams and projects');
export const PRETTY = query('pretty', 'string', 'Indents the answer.');
export const nameOf = (kind: string): Parameter => inPath('name', `name of the ${kind}`);

/** By verb. */
export const PARAMETERS: Readonly<Record<string, readonly Parameter[]>> = {
  get: [],
  list: [
    query('allowWatchBookmarks', 'boolean', 'Lets a watch send how far it has come.'),
    ...selection,
    query('watch', 'boolean', 'Sends what changes, as it changes.'),
  ],
  create: [dryRun, fieldManager, fieldValidation],
  update: [dryRun, fieldManager, fieldValidation],
  patch: [
    dryRun,
    fieldManager,
    fieldValidation,
    query('force', 'boolean', 'For apply: takes over fields that others manage.'),
  ],
  delete: deletion,
  deletecollection: [...deletion, ...selection],
};

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod */
export const LOG_PARAMETERS: readonly Parameter[] = [
  query('container', 'string', 'Which container. The only one by default.'),
  query('follow', 'boolean', 'Goes on with what is written from now on.'),
  query('insecureSkipTLSVerifyBackend', 'boolean', "Trusts the node's certificate unchecked."),
  query('limitBytes', 'integer', 'Ends after so many bytes.'),
  query('previous', 'boolean', 'Of the container before its last restart.'),
  query('sinceSeconds', 'integer', 'Begins so many seconds ago.'),
  query('tailLines', 'integer', 'Begins so many lines before the end.'),
  query('timestamps', 'boolean', 'Puts the time before each line.'),
];
