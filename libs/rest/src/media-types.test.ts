import { configMap, type Kind } from '@periplus/api';
import { describe, expect, it } from 'vitest';
import { bodyFormat, firstAccepted, negotiate, negotiateStream, statusFormat } from './media-types.ts';

const builtin = configMap as unknown as Kind;
/** One that came at run time. */
const custom: Kind = { ...builtin, group: 'example.com', kind: 'Widget' };
const PROTOBUF = 'application/vnd.kubernetes.protobuf';

const KUBECTL_GET =
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';

describe('negotiate', () => {
  it.each([
    [undefined, 'json', 'Object'],
    ['*/*', 'json', 'Object'],
    ['application/json, */*', 'json', 'Object'],
    [KUBECTL_GET, 'json', 'Table'],
    [`${PROTOBUF},application/json`, 'protobuf', 'Object'],
    [`${PROTOBUF};as=Table;v=v1;g=meta.k8s.io,application/json`, 'json', 'Object'],
    [`${PROTOBUF};as=PartialObjectMetadata;v=v1;g=meta.k8s.io`, 'protobuf', 'PartialObjectMetadata'],
    ['application/json;as=Unheard;v=v1;g=meta.k8s.io, application/json', 'json', 'Object'],
    ['application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1', 'json', 'PartialObjectMetadataList'],
    ['application/json;q=0.5, application/yaml', 'yaml', 'Object'],
    ['application/yaml;q=0, application/json', 'json', 'Object'],
  ])('takes %s as %s %s', (accept, format, kind) => {
    expect(negotiate(accept, builtin)).toMatchObject({ format, shape: { kind } });
  });

  it('says what it could have served', () => {
    expect(() => negotiate('text/html', builtin)).toThrow(
      `only the following media types are accepted: application/json, application/yaml, ${PROTOBUF}`,
    );
    expect(() => negotiateStream('application/yaml', builtin)).toThrow(
      `only the following media types are accepted: application/json;stream=watch, ${PROTOBUF};stream=watch`,
    );
  });

  it('has no protobuf of kinds that came at run time, but of their metadata', () => {
    expect(negotiate(`${PROTOBUF},application/json`, custom).format).toBe('json');
    expect(() => negotiate(PROTOBUF, custom)).toThrow('only the following media types are accepted');
    expect(negotiate(`${PROTOBUF};as=PartialObjectMetadata;v=v1;g=meta.k8s.io`, custom).format).toBe('protobuf');
  });

  it('writes a Status as the client prefers, and as JSON where that is nothing', () => {
    expect(statusFormat(undefined)).toBe('json');
    expect(statusFormat('text/html')).toBe('json');
    expect(statusFormat(`application/json,${PROTOBUF}`)).toBe('json');
    expect(statusFormat(`${PROTOBUF},application/json`)).toBe('protobuf');
  });
});

describe('firstAccepted', () => {
  const offers = [{ group: 'apidiscovery.k8s.io', version: 'v2', kind: 'APIGroupDiscoveryList' }];

  it('finds the offer that a client prefers to the plain document', () => {
    const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    expect(firstAccepted(`${aggregated},application/json`, offers)).toBe(offers[0]);
    expect(firstAccepted(`application/json,${aggregated}`, offers)).toBeUndefined();
    expect(firstAccepted(undefined, offers)).toBeUndefined();
  });
});

describe('bodyFormat', () => {
  it('reads JSON, YAML and protobuf, with or without parameters', () => {
    expect(bodyFormat('application/vnd.kubernetes.protobuf')).toBe('protobuf');
    expect(bodyFormat(undefined)).toBe('json');
    expect(bodyFormat('application/json; charset=utf-8')).toBe('json');
    expect(bodyFormat('application/yaml')).toBe('yaml');
  });

  it('refuses everything else by name of what it reads', () => {
    expect(() => bodyFormat('text/plain')).toThrow(
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    );
  });
});
