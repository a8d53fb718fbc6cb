import { Module } from '@nestjs/common';
import { AssessmentLockRepository } from './assessment-lock.repository.js';
import { AssessmentLockService } from './assessment-lock.service.js';

@Module({ providers: [AssessmentLockRepository, AssessmentLockService], exports: [AssessmentLockService] })
export class AssessmentLockModule {}
