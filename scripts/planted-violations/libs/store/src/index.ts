import './inside.ts';
import 'etcd3';
