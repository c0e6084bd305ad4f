export {
  type Candidate,
  type CustomScorer,
  defineScorer,
  type ParameterBounds,
  type ScoreEndpoint,
  type ScorerDefinition,
  type ScorerParameters,
  type ScoringRequest,
} from './custom-scorer';
export { promptTokens } from './prompt-tokens';
