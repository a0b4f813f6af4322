import { randomBytes } from 'node:crypto';
import { Keys } from '@periplus/store';
import { Etcd3, EtcdRoleExistsError, EtcdUserExistsError, type IPermissionRequest, Range } from 'etcd3';

export interface EtcdLogin {
  endpoint: string;
  /** Certificate authority, and the certificate and key of the user root, all PEM. */
  ca: Buffer;
  cert: Buffer;
  key: Buffer;
}

/** The least that each component works with. A user is the common name of a certificate; each has one role of its name. */
function grantsBelow(prefix: string): Record<string, IPermissionRequest[]> {
  const keys = new Keys(prefix);
  const log = new Range(keys.log.key, keys.log.rangeEnd);
  return {
    'api-server': [{ permission: 'Readwrite', range: Range.prefix(`${prefix}/`) }],
    scheduler: [
      { permission: 'Read', range: log },
      { permission: 'Readwrite', key: keys.election('scheduler') },
    ],
    'controller-manager': [
      { permission: 'Read', range: log },
      { permission: 'Read', range: Range.prefix(`${prefix}/liveness/`) },
      { permission: 'Readwrite', key: keys.election('controller-manager') },
    ],
  };
}

/**
 * Creates the users and roles of a cluster's components and turns etcd's access control on. For a new etcd;
 * a call after one that was cut short finishes its work. Only certificates log in: passwords are random and
 * forgotten, since an empty one would let any certificate of etcd's authority ask for anybody's token.
 */
export async function secureEtcd(login: EtcdLogin, prefix: string): Promise<void> {
  const etcd = new Etcd3({
    hosts: login.endpoint,
    credentials: { rootCertificate: login.ca, certChain: login.cert, privateKey: login.key },
  });
  try {
    for (const [name, grants] of Object.entries({ root: [], ...grantsBelow(prefix) })) {
      const role = etcd.role(name);
      await role.create().catch(unless(EtcdRoleExistsError));
      for (const grant of grants) await role.grant(grant);
      const user = etcd.user(name);
      await user.create(randomBytes(32).toString('base64')).catch(unless(EtcdUserExistsError));
      await user.addRole(name);
    }
    await etcd.auth.authEnable();
  } finally {
    etcd.close();
  }
}

const unless =
  (expected: new (...args: never[]) => Error) =>
  (error: unknown): void => {
    if (!(error instanceof expected)) throw error;
  };
