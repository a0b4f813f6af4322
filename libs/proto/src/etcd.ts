import { etcdserverpb as v3 } from '../generated/etcd.js';
import { method } from './service.ts';

/** etcd's v3 services as far as this project uses them, for clients and servers of grpc-js. */
const path = (service: string, name: string): string => `/etcdserverpb.${service}/${name}`;

export const kvMethods = {
  range: method(path('KV', 'Range'), v3.RangeRequest, v3.RangeResponse),
  put: method(path('KV', 'Put'), v3.PutRequest, v3.PutResponse),
  deleteRange: method(path('KV', 'DeleteRange'), v3.DeleteRangeRequest, v3.DeleteRangeResponse),
  txn: method(path('KV', 'Txn'), v3.TxnRequest, v3.TxnResponse),
  compact: method(path('KV', 'Compact'), v3.CompactionRequest, v3.CompactionResponse),
} as const;

export const watchMethods = {
  watch: method(path('Watch', 'Watch'), v3.WatchRequest, v3.WatchResponse, { request: true, response: true }),
} as const;

export const leaseMethods = {
  leaseGrant: method(path('Lease', 'LeaseGrant'), v3.LeaseGrantRequest, v3.LeaseGrantResponse),
  leaseRevoke: method(path('Lease', 'LeaseRevoke'), v3.LeaseRevokeRequest, v3.LeaseRevokeResponse),
  leaseKeepAlive: method(path('Lease', 'LeaseKeepAlive'), v3.LeaseKeepAliveRequest, v3.LeaseKeepAliveResponse, {
    request: true,
    response: true,
  }),
  leaseTimeToLive: method(path('Lease', 'LeaseTimeToLive'), v3.LeaseTimeToLiveRequest, v3.LeaseTimeToLiveResponse),
} as const;

export const authMethods = {
  authEnable: method(path('Auth', 'AuthEnable'), v3.AuthEnableRequest, v3.AuthEnableResponse),
  userAdd: method(path('Auth', 'UserAdd'), v3.AuthUserAddRequest, v3.AuthUserAddResponse),
  userDelete: method(path('Auth', 'UserDelete'), v3.AuthUserDeleteRequest, v3.AuthUserDeleteResponse),
  userGrantRole: method(path('Auth', 'UserGrantRole'), v3.AuthUserGrantRoleRequest, v3.AuthUserGrantRoleResponse),
  roleAdd: method(path('Auth', 'RoleAdd'), v3.AuthRoleAddRequest, v3.AuthRoleAddResponse),
  roleDelete: method(path('Auth', 'RoleDelete'), v3.AuthRoleDeleteRequest, v3.AuthRoleDeleteResponse),
  roleGet: method(path('Auth', 'RoleGet'), v3.AuthRoleGetRequest, v3.AuthRoleGetResponse),
  roleRevokePermission: method(
    path('Auth', 'RoleRevokePermission'),
    v3.AuthRoleRevokePermissionRequest,
    v3.AuthRoleRevokePermissionResponse,
  ),
  roleGrantPermission: method(
    path('Auth', 'RoleGrantPermission'),
    v3.AuthRoleGrantPermissionRequest,
    v3.AuthRoleGrantPermissionResponse,
  ),
} as const;
