import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeProtobuf } from '../../../libs/rest/src/protobuf/decode.ts';
import { encodeObject } from '../../../libs/rest/src/protobuf/encode.ts';
import { TestServer } from './test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
  await ok('create namespace team');
  await ok('-n team create role reader --verb=get,list --resource=pods,deployments.apps');
  await ok('-n team create role one --verb=get --resource=secrets --resource-name=open');
  await ok('-n team create rolebinding reader --role=reader --user=jane');
  await ok('-n team create rolebinding one --role=one --group=crew');
  await ok('create clusterrole health --verb=get --non-resource-url=/metrics');
  await ok('create clusterrolebinding health --clusterrole=health --user=jane');
  await ok('create clusterrolebinding lost --clusterrole=gone --user=lost');
});
afterAll(() => server[Symbol.asyncDispose]());

const ok = (args: string, input?: string) => server.kubectlOk(args, input);

const AUTHORIZATION = '/apis/authorization.k8s.io/v1';
const AUTHENTICATION = '/apis/authentication.k8s.io/v1';
const ask = async (path: string, body: object, headers: Record<string, string> = {}) => {
  const answer = await server.ask('POST', path, { body, headers });
  return answer.json;
};

describe('kubectl auth', () => {
  it.each<[string, string]>([
    ['get pods -n team --as jane', 'yes\n'],
    ['list deployments.apps -n team --as jane', 'yes\n'],
    ['delete pods -n team --as jane', 'no\n'],
    ['get pods -n default --as jane', 'no\n'],
    ['get pods --all-namespaces --as jane', 'no\n'],
    ['get pods --subresource=log -n team --as jane', 'no\n'],
    ['get secrets/open -n team --as joe --as-group crew', 'yes\n'],
    ['get secrets/shut -n team --as joe --as-group crew', 'no\n'],
    ['get /metrics --as jane', 'yes\n'],
    ['get /metrics --as joe', 'no\n'],
    ['* *', 'yes\n'],
    ['get pods --as lost', 'no - RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found\n'],
  ])('can-i %s', async (question, answer) => {
    const { code, stdout } = await server.kubectl(`auth can-i ${question}`);
    expect({ code, stdout }).toEqual({ code: answer.startsWith('yes') ? 0 : 1, stdout: answer });
  });

  it('lists all that a user may do', async () => {
    const list = await ok('auth can-i --list -n team --as jane');
    expect(list).toMatch(/^Resources +Non-Resource URLs +Resource Names +Verbs$/m);
    expect(list).toMatch(/^pods +\[\] +\[\] +\[get list\]$/m);
    expect(list).toMatch(/^deployments\.apps +\[\] +\[\] +\[get list\]$/m);
    expect(list).toMatch(/^selfsubjectreviews\.authentication\.k8s\.io +\[\] +\[\] +\[create\]$/m);
    expect(list).toMatch(/^selfsubjectaccessreviews\.authorization\.k8s\.io +\[\] +\[\] +\[create\]$/m);
    expect(list).toMatch(/^ +\[\/metrics\] +\[\] +\[get\]$/m);
    expect(await ok('auth can-i --list')).toMatch(/^\*\.\* +\[\] +\[\] +\[\*\]$/m);
    const node = await server.kubectl('auth can-i --list --as system:node:n1 --as-group system:nodes');
    expect(node.stderr).toContain('the list may be incomplete: node authorizer does not support user rule resolution');
  });

  it('says who somebody is', async () => {
    const own = JSON.parse(await ok('auth whoami -o json'));
    expect(own).toMatchObject({
      kind: 'SelfSubjectReview',
      status: {
        userInfo: {
          username: 'kubernetes-admin',
          groups: expect.arrayContaining(['system:authenticated']),
          extra: { 'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^X509SHA256=[0-9a-f]{64}$/)] },
        },
      },
    });
    const jane = await ok('auth whoami --as jane --as-group crew --as-uid 17 --as-user-extra reason=test');
    expect(jane).toMatch(/^ATTRIBUTE +VALUE$/m);
    expect(jane).toMatch(/^Username +jane$/m);
    expect(jane).toMatch(/^UID +17$/m);
    expect(jane).toMatch(/^Groups +\[crew system:authenticated\]$/m);
    expect(jane).toMatch(/^Extra: reason +\[test\]$/m);
  });

  it('reconciles roles with a file, and adds what they lack', async () => {
    const role = (verbs: string[]) => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'kept', namespace: 'team' },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs }],
    });
    const reconcile = (verbs: string[]) => ok('auth reconcile -f -', JSON.stringify(role(verbs)));
    expect(await reconcile(['get'])).toContain('role.rbac.authorization.k8s.io/kept reconciled');
    await reconcile(['list']);
    expect(await ok('-n team get role kept -o jsonpath={.rules[*].verbs[*]}')).toBe('get list');
  });

  it('finds the kinds of reviews among the resources', async () => {
    const resources = await ok('api-resources --api-group=authorization.k8s.io');
    expect(resources).toMatch(
      /^localsubjectaccessreviews +authorization\.k8s\.io\/v1 +true +LocalSubjectAccessReview$/m,
    );
    expect(resources).toMatch(/^subjectaccessreviews +authorization\.k8s\.io\/v1 +false +SubjectAccessReview$/m);
  });
});

describe('a review', () => {
  const resourceAttributes = { verb: 'get', resource: 'pods', namespace: 'team' };

  it('tells why somebody may', async () => {
    const review = await ask(`${AUTHORIZATION}/subjectaccessreviews`, { spec: { user: 'jane', resourceAttributes } });
    expect(review).toMatchObject({
      kind: 'SubjectAccessReview',
      apiVersion: 'authorization.k8s.io/v1',
      metadata: {},
      spec: { user: 'jane', resourceAttributes },
      status: { allowed: true, reason: 'RBAC: allowed by RoleBinding "reader/team" of Role "reader" to User "jane"' },
    });
  });

  it('looks at selectors', async () => {
    const pods = (fieldSelector: object) => ({
      user: 'system:node:n1',
      groups: ['system:nodes'],
      resourceAttributes: { verb: 'list', resource: 'pods', fieldSelector },
    });
    const status = async (fieldSelector: object) =>
      (await ask(`${AUTHORIZATION}/subjectaccessreviews`, { spec: pods(fieldSelector) })).status;
    const requirement = { key: 'spec.nodeName', operator: 'In', values: ['n1'] };
    expect(await status({ requirements: [requirement] })).toEqual({ allowed: true });
    expect(await status({ rawSelector: 'spec.nodeName=n1' })).toEqual({ allowed: true });
    expect(await status({ rawSelector: '!' })).toMatchObject({
      allowed: false,
      evaluationError: 'spec.resourceAttributes.fieldSelector ignored due to parse error',
    });
    expect(await status({ requirements: [requirement, { ...requirement, operator: 'Exists' }] })).toEqual({
      allowed: true,
      evaluationError: 'spec.resourceAttributes.fieldSelector partially ignored due to parse error',
    });
  });

  it('in a namespace is about that namespace', async () => {
    const path = `${AUTHORIZATION}/namespaces/team/localsubjectaccessreviews`;
    expect((await ask(path, { spec: { user: 'jane', resourceAttributes } })).status.allowed).toBe(true);
    const elsewhere = { user: 'jane', resourceAttributes: { ...resourceAttributes, namespace: 'default' } };
    expect((await ask(path, { spec: elsewhere })).message).toBe(
      '.authorization.k8s.io "" is invalid: spec.resourceAttributes.namespace: Invalid value: "default": must match metadata.namespace',
    );
  });

  it('is refused for what it lacks', async () => {
    expect(await ask(`${AUTHORIZATION}/selfsubjectrulesreviews`, { spec: {} })).toMatchObject({
      code: 400,
      message: 'no namespace on request',
    });
    expect(await ask(`${AUTHENTICATION}/tokenreviews`, { spec: {} })).toMatchObject({
      code: 400,
      message: 'token is required for TokenReview in authentication',
    });
    expect((await server.ask('GET', `${AUTHORIZATION}/subjectaccessreviews`)).code).toBe(405);
    const jane = await ask(
      `${AUTHORIZATION}/subjectaccessreviews`,
      { spec: { user: 'bob', resourceAttributes } },
      { 'impersonate-user': 'jane' },
    );
    expect(jane.message).toBe(
      'subjectaccessreviews.authorization.k8s.io is forbidden: User "jane" cannot create resource "subjectaccessreviews" in API group "authorization.k8s.io" at the cluster scope',
    );
  });

  it('knows whose a token is, and what it is for', async () => {
    const review = async (token: string, audiences?: string[]) =>
      (await ask(`${AUTHENTICATION}/tokenreviews`, { spec: { token, audiences } })).status;
    const token = (await ok('create token default')).trim();
    const issuer = 'https://kubernetes.default.svc.cluster.local';
    expect(await review(token)).toMatchObject({
      authenticated: true,
      audiences: [issuer],
      user: {
        username: 'system:serviceaccount:default:default',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
        extra: { 'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^JTI=/)] },
      },
    });
    expect(await review(token, ['vault'])).toEqual({
      user: {},
      error: `[invalid bearer token, token audiences ["${issuer}"] is invalid for the target audiences ["vault"]]`,
    });
    const forVault = (await ok('create token default --audience=vault --audience=other')).trim();
    expect(await review(forVault, ['x', 'vault'])).toMatchObject({ authenticated: true, audiences: ['vault'] });
    // That somebody asked about it does not open the api-server to it.
    const answer = await server.ask('GET', '/api', { as: '', headers: { authorization: `Bearer ${forVault}` } });
    expect(answer.code).toBe(401);
    expect(await review('nonsense')).toEqual({ user: {}, error: 'invalid bearer token' });
  });

  it('is asked and answered in protobuf, as controllers do', async () => {
    const type = 'application/vnd.kubernetes.protobuf';
    const inProtobuf = async (path: string, apiVersion: string, kind: string, spec: object) => {
      const review: object = { apiVersion, kind, metadata: {}, spec };
      const body = encodeObject(review);
      const answer = await server.open('POST', path, { body, headers: { 'content-type': type, accept: type } });
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk as Buffer);
      expect([answer.statusCode, answer.headers['content-type']]).toEqual([201, type]);
      return (decodeProtobuf(Buffer.concat(chunks)) as { status: object }).status;
    };
    const spec = { user: 'jane', groups: ['crew'], extra: { scope: ['a', 'b'] }, resourceAttributes };
    expect(
      await inProtobuf(`${AUTHORIZATION}/subjectaccessreviews`, 'authorization.k8s.io/v1', 'SubjectAccessReview', spec),
    ).toMatchObject({ allowed: true, reason: expect.stringContaining('RoleBinding "reader/team"') });
    const token = (await ok('create token default')).trim();
    expect(
      await inProtobuf(`${AUTHENTICATION}/tokenreviews`, 'authentication.k8s.io/v1', 'TokenReview', { token }),
    ).toMatchObject({
      authenticated: true,
      user: {
        username: 'system:serviceaccount:default:default',
        extra: { 'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^JTI=/)] },
      },
    });
  });

  it('is explained, and made from a file', async () => {
    expect(await ok('explain subjectaccessreview.spec.resourceAttributes')).toContain('fieldSelector');
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes },
    };
    // What has no patch is validated by kubectl as if it were of a custom kind, which asks for their definitions.
    expect(await ok('create --validate=false -f - -o jsonpath={.status.allowed}', JSON.stringify(review))).toBe('true');
    const spec = { user: 'jane', resourceAttributes };
    const local = { ...review, kind: 'LocalSubjectAccessReview', metadata: { namespace: 'team' }, spec };
    expect(await ok('create --validate=false -f - -o jsonpath={.status.reason}', JSON.stringify(local))).toContain(
      'RBAC: allowed by',
    );
  });

  it('of anything is an answer or a refusal', async () => {
    const text = fc.oneof(fc.constantFrom('', '*', 'get', 'pods', 'team', 'system:masters'), fc.string());
    const texts = fc.array(text, { maxLength: 3 });
    const requirement = fc.record({
      key: text,
      operator: fc.oneof(fc.constantFrom('In', 'Exists'), text),
      values: texts,
    });
    const selector = fc.record({ rawSelector: text, requirements: fc.array(requirement) }, { requiredKeys: [] });
    const attribute = { verb: text, group: text, version: text, resource: text, subresource: text, namespace: text };
    const resource = fc.record(
      { ...attribute, name: text, fieldSelector: selector, labelSelector: selector },
      { requiredKeys: [] },
    );
    const known = {
      resourceAttributes: resource,
      nonResourceAttributes: fc.record({ verb: text, path: text }, { requiredKeys: [] }),
      user: text,
      groups: texts,
      uid: text,
      extra: fc.dictionary(text, texts),
      namespace: text,
      token: text,
      audiences: texts,
    };
    const spec = fc.oneof(fc.record(known, { requiredKeys: [] }), fc.record(known), fc.jsonValue());
    const paths = [
      `${AUTHORIZATION}/subjectaccessreviews`,
      `${AUTHORIZATION}/selfsubjectaccessreviews`,
      `${AUTHORIZATION}/selfsubjectrulesreviews`,
      `${AUTHORIZATION}/namespaces/team/localsubjectaccessreviews`,
      `${AUTHENTICATION}/tokenreviews`,
      `${AUTHENTICATION}/selfsubjectreviews`,
    ];
    const codes = new Set<number>();
    const asked = async (path: string, body: object): Promise<void> => {
      const { code } = await server.ask('POST', path, { body });
      codes.add(code);
      expect([201, 400, 422]).toContain(code);
    };
    await fc.assert(fc.asyncProperty(fc.constantFrom(...paths), fc.record({ spec }), asked), { numRuns: 500 });
    expect([...codes].sort()).toEqual([201, 400, 422]);
  });
});
