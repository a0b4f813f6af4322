import '../../scheduler/src/main.ts';
