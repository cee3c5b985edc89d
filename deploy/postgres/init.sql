-- The databases and roles of Dirigent, for a server where its own role may not make them. Run once by an administrator:
--   psql -v ON_ERROR_STOP=1 -v owner_password=... -v planning_password=... -v billing_password=... \
--        -v notifications_password=... -v gateway_password=... -f deploy/postgres/init.sql
-- One role owns all definitions and is used by migrations alone; each service works as a role that may change none.
-- Without variables on the command line (container start scripts) the passwords are read from the environment.
\if :{?owner_password}
\else
\getenv owner_password DIRIGENT_OWNER_PASSWORD
\getenv planning_password DIRIGENT_PLANNING_PASSWORD
\getenv billing_password DIRIGENT_BILLING_PASSWORD
\getenv notifications_password DIRIGENT_NOTIFICATIONS_PASSWORD
\getenv gateway_password DIRIGENT_GATEWAY_PASSWORD
\endif

CREATE ROLE dirigent_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE dirigent_planning_app LOGIN PASSWORD :'planning_password';
CREATE ROLE dirigent_billing_app LOGIN PASSWORD :'billing_password';
CREATE ROLE dirigent_notifications_app LOGIN PASSWORD :'notifications_password';
CREATE ROLE dirigent_gateway_app LOGIN PASSWORD :'gateway_password';

-- Row-level security asks as whom a statement runs: the role that logs in may become these, and has none of their rights until it does.
ALTER ROLE dirigent_planning_app NOINHERIT;
CREATE ROLE dirigent_planning_intake NOLOGIN;
CREATE ROLE dirigent_planning_worker NOLOGIN;
CREATE ROLE dirigent_planning_auditor NOLOGIN;
GRANT dirigent_planning_intake, dirigent_planning_worker, dirigent_planning_auditor TO dirigent_planning_app;
ALTER ROLE dirigent_billing_app NOINHERIT;
CREATE ROLE dirigent_billing_intake NOLOGIN;
CREATE ROLE dirigent_billing_worker NOLOGIN;
CREATE ROLE dirigent_billing_auditor NOLOGIN;
GRANT dirigent_billing_intake, dirigent_billing_worker, dirigent_billing_auditor TO dirigent_billing_app;
ALTER ROLE dirigent_notifications_app NOINHERIT;
CREATE ROLE dirigent_notifications_intake NOLOGIN;
CREATE ROLE dirigent_notifications_worker NOLOGIN;
CREATE ROLE dirigent_notifications_auditor NOLOGIN;
GRANT dirigent_notifications_intake, dirigent_notifications_worker, dirigent_notifications_auditor TO dirigent_notifications_app;
ALTER ROLE dirigent_gateway_app NOINHERIT;
CREATE ROLE dirigent_gateway_intake NOLOGIN;
CREATE ROLE dirigent_gateway_worker NOLOGIN;
CREATE ROLE dirigent_gateway_auditor NOLOGIN;
GRANT dirigent_gateway_intake, dirigent_gateway_worker, dirigent_gateway_auditor TO dirigent_gateway_app;

-- A client that stops in the middle of a transaction must not hold up the sequencer.
ALTER ROLE dirigent_planning_app SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE dirigent_billing_app SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE dirigent_notifications_app SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE dirigent_gateway_app SET idle_in_transaction_session_timeout = '5s';

GRANT dirigent_owner TO CURRENT_USER;
CREATE DATABASE dirigent_planning OWNER dirigent_owner TEMPLATE template0 ENCODING 'UTF8';
CREATE DATABASE dirigent_billing OWNER dirigent_owner TEMPLATE template0 ENCODING 'UTF8';
CREATE DATABASE dirigent_notifications OWNER dirigent_owner TEMPLATE template0 ENCODING 'UTF8';
CREATE DATABASE dirigent_gateway OWNER dirigent_owner TEMPLATE template0 ENCODING 'UTF8';

REVOKE ALL ON DATABASE dirigent_planning, dirigent_billing, dirigent_notifications, dirigent_gateway FROM PUBLIC;
GRANT CONNECT ON DATABASE dirigent_planning TO dirigent_planning_app;
GRANT CONNECT ON DATABASE dirigent_billing TO dirigent_billing_app;
GRANT CONNECT ON DATABASE dirigent_notifications TO dirigent_notifications_app;
GRANT CONNECT ON DATABASE dirigent_gateway TO dirigent_gateway_app;
