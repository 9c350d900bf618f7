-- +goose Up

-- The people who buy on a merchant's platform. email_key is the address in lower
-- case: one person has one row. The company_* columns are what the platform says
-- about a company that nobody has identified.
CREATE TABLE users (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    unique_id TEXT NOT NULL,
    name TEXT NOT NULL,
    phone TEXT NOT NULL,
    registered BIGINT NOT NULL,
    country TEXT NOT NULL,
    company_id TEXT NOT NULL,
    company_name TEXT NOT NULL,
    company_regnum TEXT NOT NULL,
    company_address TEXT NOT NULL,
    company_country TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
) {{strict}};
CREATE UNIQUE INDEX users_email ON users (merchant_id, email_key);
CREATE INDEX users_created ON users (merchant_id, created_at, id);
CREATE INDEX users_unique_id ON users (merchant_id, unique_id, created_at, id);

-- Groups of users who buy for one company.
CREATE TABLE organisations (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    unique_id TEXT NOT NULL,
    registered BIGINT NOT NULL,
    name TEXT NOT NULL,
    company_id TEXT NOT NULL,
    company_name TEXT NOT NULL,
    company_regnum TEXT NOT NULL,
    company_address TEXT NOT NULL,
    company_postcode TEXT NOT NULL,
    company_city TEXT NOT NULL,
    company_state TEXT NOT NULL,
    company_country TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
) {{strict}};
CREATE UNIQUE INDEX organisations_unique_id ON organisations (merchant_id, unique_id);
CREATE INDEX organisations_created ON organisations (merchant_id, created_at, id);
CREATE INDEX organisations_company ON organisations (merchant_id, company_id);

-- Who belongs to which organisation. place keeps the order of memberships that
-- came in one request.
CREATE TABLE memberships (
    merchant_id TEXT NOT NULL,
    organisation_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'member', 'read-only')),
    created_at BIGINT NOT NULL,
    place BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, organisation_id, user_id)
) {{strict}};
CREATE INDEX memberships_user ON memberships (merchant_id, user_id, created_at, place);

-- Businesses in no register. Each has an identifier of its own and one that
-- stands wherever a company's may stand.
CREATE TABLE sole_traders (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    company_id TEXT NOT NULL,
    owner_id TEXT NOT NULL,
    unique_id TEXT NOT NULL,
    vat_number TEXT NOT NULL,
    trading_name TEXT NOT NULL,
    trading_address TEXT NOT NULL,
    trading_address_city TEXT NOT NULL,
    trading_address_postcode TEXT NOT NULL,
    trading_address_country TEXT NOT NULL,
    proprietor_name TEXT NOT NULL,
    proprietor_address_line1 TEXT NOT NULL,
    proprietor_address_line2 TEXT NOT NULL,
    proprietor_address_line3 TEXT NOT NULL,
    proprietor_address_city TEXT NOT NULL,
    proprietor_address_postcode TEXT NOT NULL,
    proprietor_address_country TEXT NOT NULL,
    date_of_birth TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
) {{strict}};
CREATE UNIQUE INDEX sole_traders_company ON sole_traders (merchant_id, company_id);
CREATE UNIQUE INDEX sole_traders_unique_id ON sole_traders (merchant_id, unique_id);
CREATE INDEX sole_traders_owner ON sole_traders (merchant_id, owner_id);
CREATE INDEX sole_traders_created ON sole_traders (merchant_id, created_at, id);

-- +goose Down
SELECT 1;
