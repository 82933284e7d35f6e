-- The columns that any dialect's spans are read by. The stages before otel_traces fill them; a row that a Collector
-- writes itself gets them from Typed, which is the same SQL as one expression and is stored nowhere.
ALTER TABLE otel_traces
    ADD COLUMN IF NOT EXISTS RetrievedDocuments Nullable(UInt32) CODEC(ZSTD(1))
        COMMENT 'documents a retrieval brought; NULL is unknown',
    ADD COLUMN IF NOT EXISTS AgentFingerprint String CODEC(ZSTD(1))
        COMMENT 'keyed hash of system prompt, tools and model, made before they were withheld',
    ADD COLUMN IF NOT EXISTS Typed Tuple({{typed_columns}}) EPHEMERAL {{typed_columns_of_a_row}},
    ADD COLUMN IF NOT EXISTS Dialect LowCardinality(String) DEFAULT tupleElement(Typed, 'Dialect') CODEC(ZSTD(1))
        COMMENT 'which library''s way of writing spans; unknown: about AI in none we know; empty: not about AI',
    MODIFY COLUMN Operation LowCardinality(String) DEFAULT tupleElement(Typed, 'Operation') CODEC(ZSTD(1))
        COMMENT 'gen_ai.operation.name, however the span says it',
    ADD COLUMN IF NOT EXISTS IsStep Bool DEFAULT tupleElement(Typed, 'IsStep') CODEC(ZSTD(1))
        COMMENT 'a step between an agent and its calls, without an operation of its own',
    ADD COLUMN IF NOT EXISTS Billing LowCardinality(String) DEFAULT tupleElement(Typed, 'Billing') CODEC(ZSTD(1))
        COMMENT 'what usage on the span means: leaf is paid for, sum repeats what is below, none, undecided',
    ADD COLUMN IF NOT EXISTS StepType LowCardinality(String) DEFAULT tupleElement(Typed, 'StepType') CODEC(ZSTD(1))
        COMMENT 'plan, retrieve, tool, respond or other',
    ADD COLUMN IF NOT EXISTS StepName LowCardinality(String) DEFAULT tupleElement(Typed, 'StepName') CODEC(ZSTD(1))
        COMMENT 'name of the step, where one was said',
    ADD COLUMN IF NOT EXISTS Attempt UInt16 DEFAULT tupleElement(Typed, 'Attempt') CODEC(ZSTD(1))
        COMMENT 'as said by the sender, from 1; 0 is not said',
    MODIFY COLUMN Provider LowCardinality(String) DEFAULT tupleElement(Typed, 'Provider') CODEC(ZSTD(1))
        COMMENT 'gen_ai.provider.name',
    MODIFY COLUMN RequestModel LowCardinality(String) DEFAULT tupleElement(Typed, 'RequestModel') CODEC(ZSTD(1))
        COMMENT 'gen_ai.request.model',
    MODIFY COLUMN ResponseModel LowCardinality(String) DEFAULT tupleElement(Typed, 'ResponseModel') CODEC(ZSTD(1))
        COMMENT 'gen_ai.response.model',
    ADD COLUMN IF NOT EXISTS ResponseId String DEFAULT tupleElement(Typed, 'ResponseId') CODEC(ZSTD(1))
        COMMENT 'gen_ai.response.id',
    ADD COLUMN IF NOT EXISTS FinishReason LowCardinality(String) DEFAULT tupleElement(Typed, 'FinishReason') CODEC(ZSTD(1))
        COMMENT 'the first of gen_ai.response.finish_reasons: stop, length, tool_call, content_filter, error',
    MODIFY COLUMN AgentName LowCardinality(String) DEFAULT tupleElement(Typed, 'AgentName') CODEC(ZSTD(1))
        COMMENT 'gen_ai.agent.name',
    MODIFY COLUMN AgentVersion LowCardinality(String) DEFAULT tupleElement(Typed, 'AgentVersion') CODEC(ZSTD(1))
        COMMENT 'gen_ai.agent.version',
    ADD COLUMN IF NOT EXISTS WorkflowName LowCardinality(String) DEFAULT tupleElement(Typed, 'WorkflowName') CODEC(ZSTD(1))
        COMMENT 'gen_ai.workflow.name',
    MODIFY COLUMN ToolName LowCardinality(String) DEFAULT tupleElement(Typed, 'ToolName') CODEC(ZSTD(1))
        COMMENT 'gen_ai.tool.name',
    ADD COLUMN IF NOT EXISTS ToolCallId String DEFAULT tupleElement(Typed, 'ToolCallId') CODEC(ZSTD(1))
        COMMENT 'gen_ai.tool.call.id',
    MODIFY COLUMN ConversationId String DEFAULT tupleElement(Typed, 'ConversationId') CODEC(ZSTD(1))
        COMMENT 'gen_ai.conversation.id',
    ADD COLUMN IF NOT EXISTS UserId String DEFAULT tupleElement(Typed, 'UserId') CODEC(ZSTD(1))
        COMMENT 'user.id',
    ADD COLUMN IF NOT EXISTS Framework LowCardinality(String) DEFAULT tupleElement(Typed, 'Framework') CODEC(ZSTD(1))
        COMMENT 'framework that was named where a provider should be',
    MODIFY COLUMN InputTokens Nullable(UInt64) DEFAULT tupleElement(Typed, 'InputTokens') CODEC(ZSTD(1))
        COMMENT 'all input, with what a cache gave and took; NULL is unknown, never 0',
    MODIFY COLUMN OutputTokens Nullable(UInt64) DEFAULT tupleElement(Typed, 'OutputTokens') CODEC(ZSTD(1))
        COMMENT 'all output, with reasoning; NULL is unknown, never 0',
    MODIFY COLUMN CacheReadTokens Nullable(UInt64) DEFAULT tupleElement(Typed, 'CacheReadTokens') CODEC(ZSTD(1))
        COMMENT 'part of the input; NULL is unknown',
    MODIFY COLUMN CacheWriteTokens Nullable(UInt64) DEFAULT tupleElement(Typed, 'CacheWriteTokens') CODEC(ZSTD(1))
        COMMENT 'part of the input; NULL is unknown',
    MODIFY COLUMN ReasoningTokens Nullable(UInt64) DEFAULT tupleElement(Typed, 'ReasoningTokens') CODEC(ZSTD(1))
        COMMENT 'part of the output; NULL is unknown',
    ADD COLUMN IF NOT EXISTS InputAudioTokens Nullable(UInt64) DEFAULT tupleElement(Typed, 'InputAudioTokens') CODEC(ZSTD(1))
        COMMENT 'part of the input; NULL is unknown',
    ADD COLUMN IF NOT EXISTS OutputAudioTokens Nullable(UInt64) DEFAULT tupleElement(Typed, 'OutputAudioTokens') CODEC(ZSTD(1))
        COMMENT 'part of the output; NULL is unknown',
    ADD COLUMN IF NOT EXISTS CacheReadAudioTokens Nullable(UInt64) DEFAULT tupleElement(Typed, 'CacheReadAudioTokens') CODEC(ZSTD(1))
        COMMENT 'part of the input; NULL is unknown',
    ADD COLUMN IF NOT EXISTS TokenConvention LowCardinality(String) DEFAULT tupleElement(Typed, 'TokenConvention') CODEC(ZSTD(1))
        COMMENT 'how the sender counted input and output, and why that is believed',
    ADD COLUMN IF NOT EXISTS ServiceTier LowCardinality(String) DEFAULT tupleElement(Typed, 'ServiceTier') CODEC(ZSTD(1))
        COMMENT 'of the response, else of the request',
    ADD COLUMN IF NOT EXISTS ReportedCostUSD Nullable(Decimal(18, 9)) DEFAULT tupleElement(Typed, 'ReportedCostUSD') CODEC(ZSTD(1))
        COMMENT 'what the sender says it cost; NULL is not said',
    ADD COLUMN IF NOT EXISTS TimeToFirstChunk Nullable(Float64) DEFAULT tupleElement(Typed, 'TimeToFirstChunk') CODEC(ZSTD(1))
        COMMENT 'seconds; NULL is not said',
    MODIFY COLUMN ErrorType LowCardinality(String) DEFAULT tupleElement(Typed, 'ErrorType') CODEC(ZSTD(1))
        COMMENT 'error.type, or what else on the span means an error',
    ADD COLUMN IF NOT EXISTS FailureType LowCardinality(String) DEFAULT tupleElement(Typed, 'FailureType') CODEC(ZSTD(1))
        COMMENT 'agentvigil.failure.type',
    ADD COLUMN IF NOT EXISTS FailureCode LowCardinality(String) DEFAULT tupleElement(Typed, 'FailureCode') CODEC(ZSTD(1))
        COMMENT 'agentvigil.failure.code',
    ADD COLUMN IF NOT EXISTS ListCostUSD Nullable(Decimal(18, 9)) DEFAULT if(Billing = 'leaf', {{list_cost}}, NULL)
        CODEC(ZSTD(1)) COMMENT 'by the price list when the span came in; NULL is unpriced or unknown, never 0'
