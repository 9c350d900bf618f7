-- +goose Up

-- Companies are kept in segments: up to half a million companies of one
-- generation of one source. Every index is led by the segment, so that loading
-- writes to one place at a time, a generation is switched in by changing the
-- state of its segments, and an old one is removed without touching the rest.
--
--   loading  rows are being written; nobody sees them
--   ready    complete, waiting for the rest of its generation
--   live     searched
--   old      replaced, waiting to be removed
--
-- country is empty when the segment holds companies of several countries.
-- precedence decides which source speaks for a company that several know.
CREATE TABLE company_segments (
    id BIGINT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    generation BIGINT NOT NULL,
    precedence BIGINT NOT NULL,
    country TEXT NOT NULL,
    state TEXT NOT NULL,
    companies BIGINT NOT NULL
) {{strict}};
CREATE INDEX company_segments_state ON company_segments (state, country, id);
CREATE INDEX company_segments_source ON company_segments (source, state, id);

-- n is the number of the segment times 2^20 plus the place within it.
-- number_key and name_key are the registration number and the name as they are
-- compared; data is everything that is only shown.
CREATE TABLE companies (
    n BIGINT NOT NULL PRIMARY KEY,
    segment BIGINT NOT NULL,
    id TEXT NOT NULL,
    country TEXT NOT NULL,
    number_key TEXT NOT NULL,
    name_key TEXT NOT NULL,
    name TEXT NOT NULL,
    data TEXT NOT NULL
) {{strict}};
CREATE INDEX companies_id ON companies (segment, id);
CREATE INDEX companies_number ON companies (segment, country, number_key);
CREATE INDEX companies_name ON companies (segment, country, name_key);

-- Which companies of a segment have a word in their name: their places, packed
-- as package company describes.
CREATE TABLE company_words (
    segment BIGINT NOT NULL,
    country TEXT NOT NULL,
    word TEXT NOT NULL,
    companies BIGINT NOT NULL,
    places BYTEA NOT NULL,
    PRIMARY KEY (segment, country, word)
) {{strict}}{{sqlite}}, WITHOUT ROWID{{end}};
{{postgres}}ALTER TABLE company_words ALTER COLUMN places SET STORAGE EXTERNAL;{{end}}

-- Every word ever seen, forwards after '>' and backwards after '<', by length:
-- where the corrections of a misspelt word are looked up. Words are never
-- removed; one that no company has any more is not found among company_words.
CREATE TABLE company_vocabulary (
    country TEXT NOT NULL,
    length BIGINT NOT NULL,
    word TEXT NOT NULL,
    PRIMARY KEY (country, length, word)
) {{strict}}{{sqlite}}, WITHOUT ROWID{{end}};

-- Companies that something refers to, as they were when it began to. A company
-- that leaves its register is still found here.
CREATE TABLE company_kept (
    id TEXT NOT NULL PRIMARY KEY,
    country TEXT NOT NULL,
    name TEXT NOT NULL,
    data TEXT NOT NULL
) {{strict}};

-- The latest import of every source and how far it got. run fences off an
-- earlier process that is still at it.
CREATE TABLE company_imports (
    source TEXT NOT NULL PRIMARY KEY,
    run BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    fingerprint TEXT NOT NULL,
    state TEXT NOT NULL,
    progress TEXT NOT NULL,
    updated_at BIGINT NOT NULL
) {{strict}};

-- +goose Down
SELECT 1;
