import type { ObjectSchema, Schema } from './schema.ts';

/** A kind in the shape of Pod and Deployment, small enough to read, for the tests of what schemas drive. */
const text: Schema = { type: 'string' };
const textMap: Schema = { type: 'map', values: text };

const objectMeta: ObjectSchema = {
  type: 'object',
  name: 'ObjectMeta',
  required: [],
  properties: {
    name: text,
    labels: textMap,
    annotations: textMap,
    creationTimestamp: { type: 'string', format: 'date-time' },
    finalizers: { type: 'array', list: 'set', items: text },
  },
};

const port: ObjectSchema = {
  type: 'object',
  name: 'ContainerPort',
  required: ['containerPort'],
  properties: { containerPort: { type: 'integer', format: 'int32' }, protocol: text, name: text },
};

const container: ObjectSchema = {
  type: 'object',
  name: 'Container',
  required: ['name'],
  properties: {
    name: text,
    image: text,
    args: { type: 'array', list: 'atomic', items: text },
    stdin: { type: 'boolean' },
    ports: {
      type: 'array',
      list: 'map',
      keys: ['containerPort', 'protocol'],
      keyDefaults: { protocol: 'TCP' },
      items: port,
    },
    resources: {
      type: 'object',
      name: 'ResourceRequirements',
      required: [],
      properties: { requests: { type: 'map', values: { type: 'quantity' } } },
    },
  },
};

const volume: ObjectSchema = {
  type: 'object',
  name: 'Volume',
  required: ['name'],
  retainKeys: true,
  properties: {
    name: text,
    emptyDir: { type: 'object', name: 'EmptyDir', required: [], properties: {} },
    hostPath: textMap,
  },
};

const spec: ObjectSchema = {
  type: 'object',
  name: 'ThingSpec',
  required: [],
  properties: {
    replicas: { type: 'integer', format: 'int32' },
    deadline: { type: 'integer' },
    ratio: { type: 'number' },
    maxSurge: { type: 'intOrString' },
    renewTime: { type: 'string', format: 'micro-time' },
    data: { type: 'map', values: { type: 'string', format: 'byte' } },
    containers: { type: 'array', list: 'map', keys: ['name'], items: container },
    volumes: { type: 'array', list: 'map', keys: ['name'], items: volume },
    tolerations: {
      type: 'array',
      list: 'atomic',
      items: { type: 'object', required: [], properties: { key: text } },
    },
    strategy: {
      type: 'object',
      name: 'Strategy',
      required: [],
      retainKeys: true,
      properties: {
        type: text,
        rollingUpdate: {
          type: 'object',
          name: 'RollingUpdate',
          required: [],
          properties: { maxSurge: { type: 'intOrString' } },
        },
      },
    },
    seen: {
      type: 'object',
      name: 'Seen',
      required: ['count', 'lines'],
      unset: { at: 'zero', state: 'zero', group: 'null', note: 'zero', lines: 'null' },
      properties: {
        at: { type: 'string', format: 'date-time' },
        count: { type: 'integer' },
        group: text,
        note: text,
        lines: { type: 'array', list: 'atomic', items: text },
        state: { type: 'object', name: 'State', required: ['name'], properties: { name: text } },
      },
    },
    raw: { type: 'any' },
    self: { type: 'map', values: objectMeta },
  },
};

export const thing: ObjectSchema = {
  type: 'object',
  name: 'Thing',
  required: [],
  properties: {
    apiVersion: text,
    kind: text,
    metadata: objectMeta,
    spec,
    get child() {
      return thing;
    },
  },
};
