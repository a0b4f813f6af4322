import '../../store/src/index.ts';
