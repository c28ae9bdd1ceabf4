-- SPDX-License-Identifier: Apache-2.0
-- A role and a database for grantd. As a superuser, once:  psql -f roles.sql
-- grantd owns one schema and nothing else: it makes and changes its tables there (init, migrate), and needs neither
-- superuser nor any extension. Then give the role a password (\password grantd) or let pg_hba.conf say who it is:
--
--   hostssl  grantd  grantd  10.0.0.0/24  scram-sha-256
CREATE ROLE grantd LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
CREATE DATABASE grantd TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
REVOKE ALL ON DATABASE grantd FROM PUBLIC;
GRANT CONNECT ON DATABASE grantd TO grantd;
\connect grantd
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA grantd AUTHORIZATION grantd;
ALTER ROLE grantd IN DATABASE grantd SET search_path = grantd;
