import { builtinKinds, definitions } from '@periplus/api';
import protobuf from 'protobufjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type GroupVersion, groupVersions } from '../served-resources.ts';
import { documentV2, jsonWriter } from './document-v2.ts';
import { documentV3 } from './document-v3.ts';
import { protobufWriter } from './protobuf-v2.ts';
import { protobufV3 } from './protobuf-v3.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever is published
type Json = any;

const all = groupVersions(builtinKinds().all());
const of = (group: string, version: string): GroupVersion =>
  all.find((one) => one.group === group && one.version === version)!;
const v3 = async (group: string, version: string): Promise<Json> =>
  JSON.parse(documentV3(of(group, version), await definitions()).toString());

/** Names that a document refers to. */
const references = (document: Json): Set<string> =>
  new Set([...JSON.stringify(document).matchAll(/"\$ref":"[^"]*\/([^"/]+)"/g)].map(([, name]) => name!));

describe('OpenAPI v3', () => {
  it('describes every address of every kind, and defines all that it refers to', async () => {
    for (const { group, version, resources } of all) {
      const { paths, components } = await v3(group, version);
      expect(Object.keys(components.schemas)).toEqual(expect.arrayContaining([...references({ paths, components })]));
      for (const { kind } of resources) {
        const own = Object.values<Json>(components.schemas).filter((schema) =>
          schema['x-kubernetes-group-version-kind']?.some(
            (gvk: Json) => gvk.group === group && gvk.version === version && gvk.kind === kind.kind,
          ),
        );
        expect({ kind: kind.kind, schemas: own.length }).toEqual({ kind: kind.kind, schemas: 1 });
        expect(own[0].description).toBeTruthy();
      }
    }
  });

  it('has an id of its own for every operation', async () => {
    const documents = await Promise.all(all.map(({ group, version }) => v3(group, version)));
    const ids = documents.flatMap(({ paths }) =>
      Object.values<Json>(paths).flatMap(({ parameters: _, ...methods }) =>
        Object.values<Json>(methods).map(({ operationId }) => operationId),
      ),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(
      expect.arrayContaining([
        'listCoreV1NamespacedPod',
        'listCoreV1PodForAllNamespaces',
        'deleteCoreV1CollectionNamespacedPod',
        'readCoreV1Node',
        'patchAppsV1NamespacedDeploymentStatus',
        'readAppsV1NamespacedDeploymentScale',
        'createCoreV1NamespacedPodBinding',
        'replaceCoreV1NamespaceFinalize',
        'replaceRbacAuthorizationV1ClusterRole',
      ]),
    );
  });

  it('says of a patch what kubectl looks for before it lets the server validate', async () => {
    const { paths } = await v3('apps', 'v1');
    const { patch } = paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}'];
    expect(patch['x-kubernetes-action']).toBe('patch');
    expect(patch['x-kubernetes-group-version-kind']).toEqual({ group: 'apps', version: 'v1', kind: 'Deployment' });
    expect(patch.parameters.map(({ name }: Json) => name)).toEqual(
      expect.arrayContaining(['dryRun', 'fieldManager', 'fieldValidation', 'force']),
    );
  });

  it('says how lists are merged, what is required, and what an absent field means', async () => {
    const { components } = await v3('', 'v1');
    const properties = (name: string): Json => components.schemas[`io.k8s.api.core.v1.${name}`].properties;
    expect(properties('PodSpec').containers).toMatchObject({
      type: 'array',
      items: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.Container' }], default: {} },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-patch-merge-key': 'name',
    });
    expect(properties('PodSpec').volumes['x-kubernetes-patch-strategy']).toBe('merge,retainKeys');
    expect(properties('PodSpec').tolerations['x-kubernetes-list-type']).toBe('atomic');
    expect(properties('ServiceSpec').ports).toMatchObject({
      'x-kubernetes-list-map-keys': ['port', 'protocol'],
      'x-kubernetes-patch-merge-key': 'port',
    });
    expect(properties('ServicePort').protocol).toMatchObject({ default: 'TCP', enum: ['SCTP', 'TCP', 'UDP'] });
    expect(properties('ContainerPort').containerPort).toMatchObject({ type: 'integer', format: 'int32', default: 0 });
    expect(components.schemas['io.k8s.api.core.v1.PodSpec'].required).toEqual(['containers']);
    expect(components.schemas['io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector']).toMatchObject({
      'x-kubernetes-map-type': 'atomic',
    });
  });
});

describe('OpenAPI v3 in protobuf', () => {
  it('has every address and schema, by the field numbers of openapi.v3', async () => {
    const { root } = protobuf.parse(PROTO_V3, { keepCase: true });
    for (const one of [of('', 'v1'), of('apps', 'v1')]) {
      const json = documentV3(one, await definitions());
      const { paths, components } = JSON.parse(json.toString()) as Json;
      const decoded = root
        .lookupType('Document')
        .decode(await protobufV3(json))
        .toJSON() as Json;
      expect(decoded.openapi).toBe('3.0.0');
      expect(decoded.paths.path.map(({ name }: Json) => name)).toEqual(Object.keys(paths));
      const schemas: Json[] = decoded.components.schemas.additional_properties;
      expect(schemas.map(({ name }) => name)).toEqual(Object.keys(components.schemas));
      for (const { name, value } of schemas) {
        const { description, type, properties = {} } = components.schemas[name];
        const members: Json[] = value.schema.properties?.additional_properties ?? [];
        expect(value.schema).toMatchObject({ ...(type && { type }), ...(description && { description }) });
        expect(members.map((member) => member.name)).toEqual(Object.keys(properties));
        expect(members.map((member) => scalarOf(member.value.schema))).toEqual(
          Object.values<Json>(properties).map((property) => scalar(property.default)),
        );
      }
    }
  });

  const scalar = (value: unknown): unknown => (typeof value === 'object' ? undefined : value);
  const scalarOf = ({ default: absent = {} }: Json = {}): unknown => absent.number ?? absent.boolean ?? absent.string;
});

describe('OpenAPI v2', () => {
  let document: Json;
  let bytes: Buffer;
  beforeAll(async () => {
    document = JSON.parse((await documentV2(all, await definitions(), jsonWriter())).toString());
    bytes = await documentV2(all, await definitions(), protobufWriter());
  });

  it('holds everything, in the words of v2', () => {
    expect(Object.keys(document.definitions)).toEqual(expect.arrayContaining([...references(document)]));
    expect(document.definitions['io.k8s.api.apps.v1.Deployment'].properties.metadata).toEqual({
      description: expect.any(String),
      $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
    });
    expect(document.definitions['io.k8s.apimachinery.pkg.util.intstr.IntOrString']).toMatchObject({
      type: 'string',
      format: 'int-or-string',
    });
    expect(document.definitions['io.k8s.api.core.v1.ServicePort'].properties.protocol).toEqual({
      description: expect.any(String),
      type: 'string',
      enum: ['SCTP', 'TCP', 'UDP'],
    });
  });

  it('is the same in protobuf, by the field numbers of openapi.v2', () => {
    const { root } = protobuf.parse(PROTO, { keepCase: true });
    const decoded = root.lookupType('Document').decode(bytes).toJSON() as Json;
    expect(decoded.swagger).toBe('2.0');
    const definitionsByName = new Map<string, Json>(
      decoded.definitions.additional_properties.map(({ name, value }: Json) => [name, value]),
    );
    expect([...definitionsByName.keys()].sort()).toEqual(Object.keys(document.definitions).sort());
    for (const [name, schema] of definitionsByName) {
      const { description, properties = {}, required } = document.definitions[name];
      expect(schema?.description).toBe(description);
      expect(schema?.required).toEqual(required);
      const members: Json[] = schema?.properties?.additional_properties ?? [];
      expect(members.map((member) => member.name)).toEqual(Object.keys(properties));
      expect(members.map(({ value }) => value._ref)).toEqual(Object.values<Json>(properties).map(({ $ref }) => $ref));
    }
    const paths = new Map<string, Json>(decoded.paths.path.map(({ name, value }: Json) => [name, value]));
    expect([...paths.keys()].sort()).toEqual(Object.keys(document.paths).sort());
    const { patch } = paths.get('/api/v1/namespaces/{namespace}/pods/{name}');
    expect(patch.operation_id).toBe('patchCoreV1NamespacedPod');
    const parameters = patch.parameters.map(({ parameter }: Json) => parameter);
    expect(parameters[0].body_parameter).toMatchObject({ name: 'body', in: 'body', required: true });
    const inQuery = parameters.slice(1).map((one: Json) => one.non_body_parameter.query_parameter_sub_schema.name);
    expect(inQuery).toEqual(['dryRun', 'fieldManager', 'fieldValidation', 'force']);
    const extensions = patch.vendor_extension.map(({ name, value }: Json) => [name, JSON.parse(value.yaml)]);
    expect(Object.fromEntries(extensions)).toEqual({
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': { group: '', version: 'v1', kind: 'Pod' },
    });
  });
});

/** What of openapi.v2 the test reads. Numbers: OpenAPIv2.proto of gnostic. */
const PROTO = `
syntax = "proto3";
message Any { string yaml = 2; }
message NamedAny { string name = 1; Any value = 2; }
message NamedSchema { string name = 1; Schema value = 2; }
message Properties { repeated NamedSchema additional_properties = 1; }
message Schema { string _ref = 1; string description = 4; repeated string required = 19; Properties properties = 25; }
message Body { string name = 2; string in = 3; bool required = 4; Schema schema = 5; }
message Query { string name = 4; string type = 6; }
message NonBody { oneof oneof { Query query_parameter_sub_schema = 3; } }
message Parameter { oneof oneof { Body body_parameter = 1; NonBody non_body_parameter = 2; } }
message ParametersItem { oneof oneof { Parameter parameter = 1; } }
message Operation { string operation_id = 5; repeated ParametersItem parameters = 8; repeated NamedAny vendor_extension = 13; }
message PathItem { Operation get = 2; Operation patch = 8; }
message NamedPathItem { string name = 1; PathItem value = 2; }
message Paths { repeated NamedPathItem path = 2; }
message Document { string swagger = 1; Paths paths = 8; Properties definitions = 9; }
`;

/** What of openapi.v3 the test reads. Numbers: OpenAPIv3.proto of gnostic. */
const PROTO_V3 = `
syntax = "proto3";
message Default { oneof oneof { double number = 1; bool boolean = 2; string string = 3; } }
message Schema { string type = 25; Properties properties = 31; Default default = 33; string description = 34; }
message Reference { string _ref = 1; }
message SchemaOrReference { oneof oneof { Schema schema = 1; Reference reference = 2; } }
message NamedSchema { string name = 1; SchemaOrReference value = 2; }
message Properties { repeated NamedSchema additional_properties = 1; }
message PathItem {}
message NamedPathItem { string name = 1; PathItem value = 2; }
message Paths { repeated NamedPathItem path = 1; }
message Components { Properties schemas = 1; }
message Document { string openapi = 1; Paths paths = 4; Components components = 5; }
`;
