import { describe, expect, it } from 'vitest';
import { bodyFormat, firstAccepted, negotiate } from './media-types.ts';

const KUBECTL_GET =
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';

describe('negotiate', () => {
  it.each([
    [undefined, 'json', 'Object'],
    ['*/*', 'json', 'Object'],
    ['application/json, */*', 'json', 'Object'],
    [KUBECTL_GET, 'json', 'Table'],
    ['application/vnd.kubernetes.protobuf,application/json', 'json', 'Object'],
    ['application/json;as=Unheard;v=v1;g=meta.k8s.io, application/json', 'json', 'Object'],
    ['application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1', 'json', 'PartialObjectMetadataList'],
    ['application/json;q=0.5, application/yaml', 'yaml', 'Object'],
    ['application/yaml;q=0, application/json', 'json', 'Object'],
  ])('takes %s as %s %s', (accept, format, kind) => {
    expect(negotiate(accept)).toMatchObject({ format, shape: { kind } });
  });

  it('says what it could have served', () => {
    expect(() => negotiate('text/html')).toThrow(
      'only the following media types are accepted: application/json, application/yaml',
    );
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
