import { configMapKey, type DeepReadonly, type FieldPath, isJsonObject } from '@periplus/apimachinery';
import type { ISecret } from 'kubernetes-models/v1/Secret';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { checkImmutable, type Errors } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import type { Stored } from '../stored.ts';
import { checkFrozen, DATA_BYTES_MAX, decodedLength } from './frozen-data.ts';
import { SERVICE_ACCOUNT_TOKEN } from './legacy-token.ts';

export type Secret = Stored<ISecret>;

type Data = Readonly<Record<string, string>>;

/** Says nothing of the content, which must not show up in messages. */
function checkJson(errors: Errors, at: FieldPath, data: Data, key: string): void {
  const place = at.key('data', key);
  const content = data[key];
  if (content === undefined) {
    errors.push(place.required());
    return;
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(content, 'base64').toString('utf8'));
  } catch {
    parsed = undefined;
  }
  if (!isJsonObject(parsed)) errors.push(place.invalid('<secret contents redacted>', 'must be a JSON object'));
}

function checkPresent(errors: Errors, at: FieldPath, data: Data, ...keys: string[]): void {
  for (const key of keys) if (data[key] === undefined) errors.push(at.key('data', key).required());
}

/** What each type of secret must have. https://kubernetes.io/docs/concepts/configuration/secret/#secret-types */
const typeChecks: Record<string, (errors: Errors, at: FieldPath, data: Data, secret: DeepReadonly<Secret>) => void> = {
  [SERVICE_ACCOUNT_TOKEN]: (errors, at, _data, { metadata }) => {
    const key = 'kubernetes.io/service-account.name';
    if (!metadata.annotations?.[key]) errors.push(at.child('metadata').key('annotations', key).required());
  },
  'kubernetes.io/dockercfg': (errors, at, data) => checkJson(errors, at, data, '.dockercfg'),
  'kubernetes.io/dockerconfigjson': (errors, at, data) => checkJson(errors, at, data, '.dockerconfigjson'),
  'kubernetes.io/basic-auth': (errors, at, data) => {
    if (data.username === undefined && data.password === undefined) {
      checkPresent(errors, at, data, 'username', 'password');
    }
  },
  'kubernetes.io/ssh-auth': (errors, at, data) => {
    if (!data['ssh-privatekey']) errors.push(at.key('data', 'ssh-privatekey').required());
  },
  'kubernetes.io/tls': (errors, at, data) => checkPresent(errors, at, data, 'tls.crt', 'tls.key'),
};

function check(errors: Errors, at: FieldPath, secret: DeepReadonly<Secret>): void {
  const { data = {}, type = '' } = secret;
  let bytes = 0;
  for (const key in data) {
    for (const problem of configMapKey(key)) errors.push(at.key('data', key).invalid(key, problem));
    bytes += decodedLength(data[key]!);
  }
  if (bytes > DATA_BYTES_MAX) errors.push(at.child('data').tooLong(DATA_BYTES_MAX));
  if (Object.hasOwn(typeChecks, type)) typeChecks[type]?.(errors, at, data, secret);
}

function checkUpdate(errors: Errors, at: FieldPath, now: DeepReadonly<Secret>, old: DeepReadonly<Secret>): void {
  checkImmutable(errors, at, 'type', now.type, old.type);
  checkFrozen(errors, at, now, old, ['data']);
}

/** https://kubernetes.io/docs/concepts/configuration/secret/ */
export const secret = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
  // kubectl apply keeps what was applied in an annotation, payload included.
  confidential: ['data', 'metadata.annotations'],
  columns: [
    nameColumn,
    { name: 'Type', type: 'string', description: fieldText('v1.Secret.type'), of: ({ type }) => type ?? '' },
    {
      name: 'Data',
      type: 'string',
      description: fieldText('v1.Secret.data'),
      of: ({ data = {} }) => Object.keys(data).length,
    },
    ageColumn,
  ],
  check,
  checkUpdate,
  selectableFields: { type: ({ type }) => type ?? '' },
  setDefaults(secret) {
    secret.type ||= 'Opaque';
    if (!secret.stringData) return;
    secret.data ??= {};
    for (const [name, text] of Object.entries(secret.stringData)) {
      secret.data[name] = Buffer.from(text, 'utf8').toString('base64');
    }
    delete secret.stringData;
  },
});
