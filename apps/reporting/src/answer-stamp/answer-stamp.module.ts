import { Module } from '@nestjs/common';
import { AnswerStampRepository } from './answer-stamp.repository.js';
import { StampAnswersService } from './stamp-answers.service.js';

@Module({ providers: [AnswerStampRepository, StampAnswersService], exports: [StampAnswersService] })
export class AnswerStampModule {}
