import { type ClusterRole, clusterRole, clusterRoleBinding, type Kind } from '@periplus/api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { user } from '../operations/core.ts';
import { type ControlPlane, eventually, runControllers, startControlPlane } from './control-plane.ts';

const RBAC = 'rbac.authorization.k8s.io';
let plane: ControlPlane;
let controllers: AsyncDisposable;
beforeAll(async () => {
  plane = await startControlPlane();
  controllers = await runControllers(plane);
});
afterAll(async () => {
  await controllers[Symbol.asyncDispose]();
  await plane[Symbol.asyncDispose]();
});

const may = (name: string, verb: string, group: string, resource: string): boolean =>
  plane.core.authorizer.decide(user(name), {
    ...{
      isResource: true,
      verb,
      group,
      version: 'v1',
      resource,
      subresource: '',
      namespace: 'team',
      name: '',
      path: '',
    },
  }).allowed;

it('gives admin, edit and view their rules, and those of roles that join them', async () => {
  await plane.create(clusterRoleBinding, {
    ...{ apiVersion: `${RBAC}/v1`, kind: 'ClusterRoleBinding', metadata: { name: 'eve' } },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'edit' },
    subjects: [{ kind: 'User', apiGroup: RBAC, name: 'eve' }],
  });
  await eventually(() => {
    expect(may('eve', 'create', '', 'pods')).toBe(true);
    expect(may('eve', 'list', '', 'pods')).toBe(true);
    expect(may('eve', 'list', RBAC, 'roles')).toBe(false);
  });
  const more: ClusterRole = {
    ...{ apiVersion: `${RBAC}/v1`, kind: 'ClusterRole' },
    metadata: { name: 'more', labels: { [`${RBAC}/aggregate-to-view`]: 'true' } },
    rules: [{ apiGroups: [RBAC], resources: ['roles'], verbs: ['list'] }],
  };
  await plane.create(clusterRole, more);
  await eventually(() => expect(may('eve', 'list', RBAC, 'roles')).toBe(true));
  await eventually(() => expect(plane.get(clusterRole, '', 'admin')!.rules).toContainEqual(more.rules![0]));
  await plane.admin.send({ verb: 'delete', kind: clusterRole as unknown as Kind, namespace: '', name: 'more' }, null);
  await eventually(() => expect(may('eve', 'list', RBAC, 'roles')).toBe(false));
});
