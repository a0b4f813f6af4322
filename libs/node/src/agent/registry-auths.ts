import type { RegistryAuth } from '@periplus/cri';

interface DockerAuth {
  username?: string;
  password?: string;
  auth?: string;
  identitytoken?: string;
}

/** Credentials in a Secret of type kubernetes.io/dockerconfigjson. What can't be read counts as none. */
export function registryAuths(secret: Readonly<Record<string, string>>): RegistryAuth[] {
  try {
    const parsed = JSON.parse(secret['.dockerconfigjson'] ?? '{}') as { auths?: Record<string, DockerAuth> };
    return Object.entries(parsed.auths ?? {}).map(([server, { username, password, auth, identitytoken }]) => ({
      serverAddress: server,
      ...(username && { username }),
      ...(password && { password }),
      ...(auth && { auth }),
      ...(identitytoken && { identityToken: identitytoken }),
    }));
  } catch {
    return [];
  }
}
