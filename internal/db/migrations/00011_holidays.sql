-- +goose Up

-- Days on which an operator's calendar differs from the national one. day counts
-- from 1970; country is a two-letter code or TARGET2. open is a holiday of the
-- national calendar that is worked.
CREATE TABLE holidays (
    country TEXT NOT NULL,
    day BIGINT NOT NULL,
    name TEXT NOT NULL,
    open BOOLEAN NOT NULL,
    PRIMARY KEY (country, day),
    -- 1 January 1970 was a Thursday; weekends are never business days.
    CHECK ((day + 3) % 7 < 5)
) {{strict}};

-- +goose Down
SELECT 1;
