/** The demo's tables (INTERFACES.md, The demo world), before and after the rows are loaded. */
export const createTables = `
CREATE TABLE customers (
  id bigint NOT NULL,
  name text NOT NULL,
  email text NOT NULL,
  phone text NOT NULL,
  ssn text NOT NULL,
  card_number text NOT NULL,
  country text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE TABLE orders (
  id bigint NOT NULL,
  customer_id bigint NOT NULL,
  status text NOT NULL,
  total numeric(10,2) NOT NULL,
  placed_at timestamptz NOT NULL
);
CREATE TABLE payments (
  id bigint NOT NULL,
  order_id bigint NOT NULL,
  method text NOT NULL,
  card_last4 text NOT NULL,
  amount numeric(10,2) NOT NULL,
  paid_at timestamptz NOT NULL
);
CREATE TABLE audit_log (
  id bigint NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  at timestamptz NOT NULL
);`

export const finishTables = `
ALTER TABLE customers ADD PRIMARY KEY (id);
ALTER TABLE orders ADD PRIMARY KEY (id), ADD FOREIGN KEY (customer_id) REFERENCES customers (id);
ALTER TABLE payments ADD PRIMARY KEY (id), ADD FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE;
ALTER TABLE audit_log ADD PRIMARY KEY (id);
CREATE INDEX orders_by_customer ON orders (customer_id);
CREATE INDEX payments_by_order ON payments (order_id);
CREATE VIEW order_totals AS
  SELECT c.country, count(*) AS orders, sum(o.total) AS total
  FROM customers c JOIN orders o ON o.customer_id = c.id
  GROUP BY c.country;
ANALYZE;`
