import '../../store/src/inside.ts';
import '@nestjs/common';
import './planted.test.ts';
