-- Requests of histograms say what their project lets be stored of what people said (docs/privacy.md): 0 off, 1 masked, 2 full,
-- and with which key of the installation's own other text becomes a hash. An older receiver says neither, which is off.
ALTER TABLE otlp_metrics_histogram
    ADD COLUMN IF NOT EXISTS content_policy UInt32,
    ADD COLUMN IF NOT EXISTS hash_key String
